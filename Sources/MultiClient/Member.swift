import AsyncSockets

/// One target, and its handler until the connection has it. Touched by the loop's thread alone.
final class Member<Handler: ConnectionHandler>: Membership {
  /// What is of no use any more once it is connected.
  final class Beginning {
    /// Until the connection has it.
    var handler: Handler
    let localAddress: SocketAddress?
    /// Its own, if it has one.
    var framing: Handler.Codec?
    /// Those that have not been tried.
    var addresses: [SocketAddress] = []
    var failures: [ConnectFailure] = []
    /// How many local addresses have had no port for the one that is being tried.
    var sourcesTried = 0
    /// When the attempt under way began.
    var attemptBegan: EventLoop.Instant
    /// When to go on to the next address, or to try a crowded one again.
    var nextStep: EventLoop.Instant?

    init(_ handler: Handler, from localAddress: SocketAddress?, now: EventLoop.Instant) {
      self.handler = handler
      self.localAddress = localAddress
      attemptBegan = now
    }
  }

  let run: Run<Handler>
  var beginning: Beginning?

  init(
    id: ConnectionID, target: Target, in run: Run<Handler>, handler: Handler,
    from localAddress: SocketAddress?,
    timeouts: SharedTimeouts, now: EventLoop.Instant
  ) {
    self.run = run
    beginning = Beginning(handler, from: localAddress, now: now)
    super.init(id: id, target: target, timeouts: timeouts, now: now)
  }
}
