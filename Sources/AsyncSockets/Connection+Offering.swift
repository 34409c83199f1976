import Framing
import Synchronization

// Sending without a wait, for whoever has more to do than this one connection.

extension Connection {
  /// Sends bytes if that needs no wait: whole, or not at all.
  ///
  /// It keeps its place among all sends: while somebody waits to be let in, nothing is accepted before them.
  ///
  /// ```swift
  /// if try !connection.offer(update) { skipped += 1 }  // this peer is slow: the next update will do
  /// ```
  ///
  /// - Returns: `false` when 64 KiB are queued (the high mark), or a send waits already: nothing was sent. `send(_:)`
  ///   would have waited.
  /// - Throws: as `send(_:)`, but for cancellation, which it takes no notice of.
  public func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool { try core.offer(bytes) }

  /// Sends text as UTF-8, as `offer(_:)` sends bytes.
  public func offer(_ text: String) throws(SocketError) -> Bool { try offer(Array(text.utf8)) }
}

extension FramedConnection {
  /// Sends one frame if that needs no wait; see `Connection.offer(_:)`.
  ///
  /// - Returns: `false` when `send(_:)` would have waited: nothing was sent.
  /// - Throws: as `send(_:)`, but for cancellation.
  public func offer(_ frame: OutboundFrame) throws -> Bool {
    if case .mustWait = try offer(frame, holdsTurn: false) { false } else { true }
  }
}

extension ConnectionCore {
  func offer(_ bytes: [UInt8]) throws(SocketError) -> Bool {
    if case .mustWait = try trySend(bytes, holdsTurn: false) { false } else { true }
  }

  /// Its peer does not take what everybody is sent.
  func disconnectSlowConsumer() { end(with: .limit(.slowConsumer), reason: .limit(.slowConsumer)) }
}
