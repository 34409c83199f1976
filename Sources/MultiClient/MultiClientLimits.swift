public import AsyncSockets

/// How much a client takes on at a time; `nil` turns a limit off.
public struct MultiClientLimits: Hashable, Sendable {
  /// How many connections there are at once, from the first call for a socket to the outcome: the window, in which the
  /// next begins as one ends. 100 by default.
  public var open = 100

  /// How many of them may be connecting, names being looked up among them. Off by default.
  public var connecting: Int?

  /// How many of them may go to one host: the same address, or name as it is spelt, whatever the port. Targets of other
  /// hosts go before those who wait for theirs, of whom 1,024 are kept at most. Off by default.
  public var perHost: Int?

  /// How fast they are begun; as fast as the other limits allow by default.
  public var rampUp = RampUp.immediately

  /// Those of each connection that is begun from now on; each can have its own.
  public var timeouts = Timeouts()

  /// 100 connections at once, 10 s to connect.
  public init() {}

  /// So many connections at once, 10 s to connect.
  public init(open: Int) { self.open = open }

  /// Looks whether the values can work.
  ///
  /// - Throws: `SocketError.invalid`, which names the value and says what to change.
  public func validate() throws(SocketError) {
    guard (1...Self.most).contains(open) else {
      throw .invalid("limits.open must be from 1 to \(Self.most) connections at once, not \(open)")
    }
    for (name, value) in [("connecting", connecting), ("perHost", perHost)] {
      if let value, value < 1 {
        throw .invalid("limits.\(name) must be at least 1, not \(value); nil turns it off")
      }
    }
    try rampUp.validate()
    try timeouts.validate()
  }

  /// As many as an `ID` can name, with room for those that wait.
  private static let most = 8_000_000
}
