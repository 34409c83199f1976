import AsyncSockets

/// What the loop's thread alone touches of a client.
struct ClientState<Handler: ConnectionHandler> {
  /// Those that are not over, who begin one by one in turn.
  var runs: [Run<Handler>]
  var turn = 0
  /// Whether there ever was one beside what `connect` adds.
  var hasRun = false

  var names: NameTable<ConnectionID>
  var lookUps: [String: Errand] = [:]
  var rotation: SourceRotation
  var shortages = PortShortages()
  var lastDestination: SocketAddress?
  var hasToldOfPorts = false

  var statistics = ClientStatistics()
  var defaults: SharedTimeouts
  /// Kept while there are connections: they hold the client, and the client them.
  var reactions: ConnectionDriver.Reactions?

  /// The loop is to look whether somebody may begin.
  var pumpTimer: DeadlineID?
  var pumpDue = EventLoop.Instant.farFuture
  var isPumping = false
  var isPumpPending = false
  var isPaused = false
  var hasFitted = false
}
