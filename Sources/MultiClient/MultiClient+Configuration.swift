public import AsyncSockets

extension MultiClient {
  /// How a client behaves; every value has a safe default.
  public typealias Configuration = MultiClientConfiguration
  /// How much a client takes on at a time.
  public typealias Limits = MultiClientLimits
  /// What a client is doing, and has done.
  public typealias Statistics = ClientStatistics
  /// What a client tells of itself, beside the outcomes.
  public typealias Notice = ClientNotice
}

/// How a client behaves; every value has a safe default.
public struct MultiClientConfiguration: Sendable {
  /// How much the client takes on at a time: 100 connections by default. Adjustable while it runs: `MultiClient.limits`.
  public var limits = MultiClientLimits()

  /// Watermarks, limits and socket options of each connection.
  public var connection = ConnectionOptions()

  /// Where connections come from, in turn, each address with all its ports; the system chooses by default. With port 0.
  /// A target of a family of which none is here goes from where the system chooses.
  public var sources: [SocketAddress] = []

  /// Whether targets of 127/8 are connected to from several addresses of it when the ports of one do not suffice, unless
  /// `sources` has one of IPv4. On by default.
  public var rotatesLoopback = true

  /// How many outcomes of a run wait to be taken before no more of its targets are begun; 1,024 by default.
  public var outcomeBacklog = 1024

  /// Whether the time from a send to the next frame is recorded, for a few nanoseconds a message. On by default.
  public var measuresReplies = true

  /// Told of everything worth knowing beside the outcomes, on the client's loop; it must return quickly. The library
  /// itself prints nothing.
  public var onNotice: (@Sendable (ClientNotice) -> Void)?

  /// The defaults.
  public init() {}

  /// - Throws: `SocketError.invalid`, which names the value and says what to change.
  func validate() throws(SocketError) {
    try limits.validate()
    try connection.validate()
    for source in sources where source.port != 0 {
      throw .invalid("sources must be IPv4 or IPv6 addresses with port 0, not \(source)")
    }
    if outcomeBacklog < 1 { throw .invalid("outcomeBacklog must be at least 1, not \(outcomeBacklog)") }
  }

  /// Where outcomes wait to be taken.
  func mailbox<Outcome>(of type: Outcome.Type) -> Mailbox<Outcome> {
    Mailbox(capacity: max(1, outcomeBacklog))
  }
}
