public import AsyncSockets
public import Framing

// One connection, by the name that it has from `connect` to its outcome. A name that is not known, any more or of
// another client, is `false` or `nil`.

extension MultiClient {
  /// Adds a target, which begins when there is room for it.
  ///
  /// - Parameters:
  ///   - target: where to.
  ///   - localAddress: from where; the client's `sources` by default.
  ///   - timeouts: its own; by default those of the limits.
  ///   - handler: its state, which the outcome gives back.
  /// - Returns: its name, for as long as it has no outcome.
  /// - Throws: `SocketError.invalid` for time-outs that cannot work, or sixteen million targets at once.
  @discardableResult
  public func connect(
    to target: Target, from localAddress: SocketAddress? = nil, timeouts: Timeouts? = nil, _ handler: Handler
  ) throws(SocketError) -> ConnectionID {
    try timeouts?.validate()
    return try core.connect(to: target, from: localAddress, timeouts: timeouts) { _, _ in handler }
  }

  /// Adds an address as a target; see `connect(to:from:timeouts:_:)`.
  @discardableResult
  public func connect(
    to address: SocketAddress, from localAddress: SocketAddress? = nil, timeouts: Timeouts? = nil,
    _ handler: Handler
  ) throws(SocketError) -> ConnectionID {
    try connect(to: .address(address), from: localAddress, timeouts: timeouts, handler)
  }

  /// Sends one frame: whole, or not at all; see `HandlerContext.send(_:)`. It never waits.
  ///
  /// - Returns: `false` when no connection of that name is open.
  /// - Throws: `SocketError.outputFull` when its output stands at the high mark, and the connection's own error;
  ///   `FramingError` when the frame can't be encoded. Nothing is sent then.
  @discardableResult
  public func send(_ frame: Handler.Codec.Encoder.Frame, to id: ConnectionID) throws -> Bool {
    try core.send(frame, to: id)
  }

  /// Closes in good order: all that was sent goes out first. One that is not connected yet ends as cancelled.
  @discardableResult
  public func close(_ id: ConnectionID) -> Bool { core.close(id) }

  /// Resets, and drops what is queued. One that is not connected yet ends as cancelled.
  @discardableResult
  public func abort(_ id: ConnectionID) -> Bool { core.abort(id) }

  /// The handler as it is now; `nil` also when it asks for itself, from inside one of its callbacks.
  public func state(of id: ConnectionID) -> Handler? { core.state(of: id) }

  /// What reaches its handler from anywhere; `nil` when it is not open.
  public func reference(to id: ConnectionID) -> HandlerReference<Handler>? { core.reference(to: id) }

  /// Goes on with another codec, from the next frame on; see `HandlerContext.switchCodec(to:)`. One that is not connected
  /// yet begins with it.
  ///
  /// - Returns: `false` when the name is not known, or the connection has begun to end.
  @discardableResult
  public func switchCodec(to codec: Handler.Codec, of id: ConnectionID) -> Bool {
    core.switchCodec(to: codec, of: id)
  }

  /// Its time-outs, as they are in force.
  public func timeouts(of id: ConnectionID) -> Timeouts? { core.member(id)?.timeouts.values }

  /// Gives it time-outs of its own, which count at once, from when they always count.
  ///
  /// - Returns: `false` when the name is not known.
  /// - Throws: `SocketError.invalid` for a value that cannot work; those before stay in force.
  @discardableResult
  public func set(_ timeouts: Timeouts, of id: ConnectionID) throws(SocketError) -> Bool {
    try timeouts.validate()
    return core.set(timeouts, of: id)
  }

  /// What it has moved until now; `nil` when it is not open.
  public func counters(of id: ConnectionID) -> Connection.Counters? {
    core.member(id)?.driver?.counters
  }

  /// Where it was to go, as it was given.
  public func target(of id: ConnectionID) -> Target? { core.member(id)?.target }
}

// MARK: - All of them

extension MultiClient {
  /// Those that are open, in no order that means anything.
  public var connections: [ConnectionID] {
    core.roster.local.value.members.compactMap { member in member.flatMap { $0.driver == nil ? nil : $0.id } }
  }

  /// Sends one frame to all that are open. It is encoded once, and no one who is slow delays another: those whose output
  /// stands at the high mark are disconnected for it, or do not get this one.
  ///
  /// - Parameters:
  ///   - frame: what to send, by a new encoder of the client's framing.
  ///   - disconnectsSlow: whether the slow are reset, `CloseReason.limit(.slowConsumer)`; they are by default.
  /// - Returns: how many have accepted it, and who was too slow.
  /// - Throws: `FramingError` when the frame can't be encoded; then nobody gets it.
  @discardableResult
  public func broadcast(
    _ frame: Handler.Codec.Encoder.Frame, disconnectsSlow: Bool = true
  ) throws(FramingError) -> (sent: Int, slow: [ConnectionID]) {
    try core.broadcast(frame, disconnectsSlow: disconnectsSlow)
  }

  /// Begins nothing more, closes all that are open in good order, and cancels the others; the outcomes end then.
  public nonisolated func closeAll() { core.post { $0.endAll(.close) } }

  /// Begins nothing more, and resets all; the outcomes end then.
  public nonisolated func abortAll() { core.post { $0.endAll(.abort) } }

  /// No target will be added any more: `outcomes`, or `events`, end when all that were added have ended.
  public nonisolated func finish() { core.post { $0.finish() } }

  /// The limits in force. They can be changed at any time, and count at once:
  ///
  /// ```swift
  /// client.limits.open = 500
  /// client.limits.rampUp = .constant(perSecond: 50)
  /// ```
  ///
  /// A smaller window disturbs nobody, and begins no one until enough have ended. Time-outs count for those that are added
  /// from then on. Of a client of a group they are those of the group. Values that cannot work change nothing, and are told by `ClientNotice.limitsRefused`.
  public nonisolated var limits: MultiClientLimits {
    get { core.gate.limits }
    set {
      do throws(SocketError) { try newValue.validate() } catch { return core.tell(.limitsRefused(error)) }
      core.gate.set(newValue)
    }
  }

  /// What it is doing now, and has done since it was made.
  public var statistics: ClientStatistics { core.statistics }
}
