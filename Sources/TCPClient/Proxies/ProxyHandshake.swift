import Framing

/// A client's side of the conversation that makes a proxy connect. Pure: bytes of the proxy in, what to do out.
///
/// It takes exactly the proxy's bytes from the buffer, so that what follows them is the target's.
protocol ProxyHandshake: FrameDecoder where Frame == ProxyStep {
  /// What is sent first.
  var greeting: [UInt8] { get }
}

/// What the bytes of a proxy call for.
enum ProxyStep: Hashable, Sendable {
  /// An answer, after which more of the proxy's bytes are needed.
  case send([UInt8])
  /// The connection is the target's from here on.
  case established
  case refused(ProxyError.Reason)
}
