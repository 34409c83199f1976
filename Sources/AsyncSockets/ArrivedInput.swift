/// What a peer has sent so far, as far as it has arrived.
package struct ArrivedInput: Equatable, Sendable {
  private let total: UInt64
  private let unread: Int

  package init(bytesRead: UInt64, unread: Int) {
    total = bytesRead &+ UInt64(unread)
    self.unread = unread
  }

  package static func == (left: Self, right: Self) -> Bool { left.total == right.total }

  /// Whether so much lies unread that the peer may be waiting for room. The smallest window that Linux begins with is four
  /// times as large, for a socket whose receive buffer was left as it is.
  package var mayHoldUpPeer: Bool { unread >= 16_384 }
}
