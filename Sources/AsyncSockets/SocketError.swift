/// Why an operation on a socket failed.
///
/// End of stream is not among them (reads answer `nil`), nor is cancellation (that stays `CancellationError`).
public indirect enum SocketError: Error, Hashable, Sendable {
  // Indirect, since every connection has room for one.

  /// This side closed the connection or listener.
  case closed
  /// The event loop was stopped, before the operation or meanwhile.
  case loopStopped
  /// This side has ended its stream with `finishWriting()`, and sends nothing more; reading goes on.
  case finishedWriting
  /// Another task is inside the same kind of operation, which only one at a time may be.
  case busy(operation: String)
  /// The operation's deadline passed. Nothing was consumed.
  case timedOut(operation: String)
  /// So many bytes are queued that a send would have to wait, and it may not.
  case outputFull(queued: Int)
  /// The peer reset the connection.
  case reset(Errno, call: String, peer: SocketAddress?)
  /// A system call failed; the address is the one that it was about, where there is one.
  case failed(Errno, call: String, address: SocketAddress?)
  /// The name of a host has no address that could be found; the reason is the resolver's.
  case unresolved(host: String, reason: String)
  /// None of a host's addresses could be connected to: each that was tried, in that order, and why.
  case connectFailed(host: String, [ConnectFailure])
  /// A limit was reached, and the connection has ended for it.
  case limit(Limit)
  /// The peer's stream ended without the goodbye of the transport's protocol (TLS has one): what was read may be
  /// a part of what was sent.
  case truncated(peer: SocketAddress?)
  /// So many bytes were received in the clear and not read before an upgrade to another transport.
  case unreadBytes(Int)
  /// The connection went on with another codec, and this handle to it is spent.
  case switched
  /// A value given by the caller cannot work; the text says which and what to change.
  case invalid(String)

  /// The limits that end a connection.
  public enum Limit: String, Hashable, Sendable {
    /// No byte came at all.
    case firstByte
    /// A message had begun and was not whole in time.
    case message
    /// A message came too slowly.
    case minimumRate
    /// No byte in either direction while somebody waited for the peer.
    case idle
    /// Output waited and the peer took none of it.
    case writeStall
    /// The peer had no room for what a `Broadcast` sent to everybody, whose policy is to part with such peers.
    case slowConsumer
  }
}

extension SocketError: CustomStringConvertible {
  /// One line that says what failed, on which call and address, and why.
  public var description: String {
    switch self {
    case .closed: "closed by this side"
    case .loopStopped: "the event loop has stopped"
    case .finishedWriting: "the outgoing stream has ended (finishWriting): nothing more can be sent"
    case .busy("accept"): "accept: another task is accepting from the same listener"
    case .busy(let operation): "\(operation): another task is reading from the same connection"
    case .timedOut(let operation): "\(operation): the deadline passed"
    case .outputFull(let queued):
      "send: \(queued.of("byte")) are queued already, the high mark; wait until the peer takes some"
    case .reset(let errno, let call, let peer):
      "connection reset by \(peer.map(\.description) ?? "the peer"): \(call): \(errno)"
    case .failed(let errno, let call, let address):
      (address.map { "\(call) \($0): \(errno)" } ?? "\(call): \(errno)") + Self.meaning(of: errno, call)
    case .unresolved(let host, let reason): "no address found for \(host.debugDescription): \(reason)"
    // A numeric address is in the failure already.
    case .connectFailed(let host, let failures) where failures.map(\.address.host) == [host]:
      failures.map(\.error.description).joined()
    case .connectFailed(let host, let failures):
      "cannot connect to \(host): " + failures.map(\.error.description).joined(separator: "; ")
    case .limit(.firstByte): "no byte came within the limit for the first one"
    case .limit(.message): "a message was not whole within its limit"
    case .limit(.minimumRate): "a message came more slowly than the minimum rate"
    case .limit(.idle): "idle limit reached"
    case .limit(.writeStall): "the peer took no output within the write stall limit"
    case .limit(.slowConsumer): "the peer was too slow for a broadcast"
    case .truncated(let peer):
      "the stream of \(peer.map(\.description) ?? "the peer") ended without a goodbye, and may have been cut short"
    case .unreadBytes(let count):
      "\(count.of("byte")) received in the clear before the upgrade, which nobody has read"
    case .switched: "the connection has switched to another codec; use the handle that switching returned"
    case .invalid(let problem): "invalid argument: \(problem)"
    }
  }
}

extension SocketError {
  /// What the system's own words do not tell.
  private static func meaning(of errno: Errno, _ call: String) -> String {
    switch (errno, call) {
    case (.addressNotAvailable, "connect"):
      ": no local port is free for this destination, or no local address leads to it"
    case (.addressNotAvailable, "bind"): ": this machine does not have the address"
    default: ""
    }
  }
}
