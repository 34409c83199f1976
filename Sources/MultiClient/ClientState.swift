import AsyncSockets

/// What the loop's thread alone touches of a client.
struct ClientState<Handler: ConnectionHandler> {
  var gate: StartGate
  var queue = TargetQueue<Member<Handler>>()
  /// Sequences of targets, the first of which is being drawn from.
  var sources: [TargetSource<Handler>] = []
  /// Who brings targets from elsewhere, and how to tell them that no more are wanted.
  var feeders: [Int: @Sendable () -> Void] = [:]
  /// Called when the queue has room for their next.
  var hungryFeeders: [@Sendable () -> Void] = []
  /// What they still bring is no target any more.
  var feedsAreOver = false

  var names: NameTable<ConnectionID>
  var lookUps: [String: Errand] = [:]
  var rotation: SourceRotation
  /// Families that have been connected from, and so have an address here.
  var reachedFamilies: Set<Int32> = []
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

  /// It ends as soon as nothing is left to do.
  var endsWhenIdle = false
  /// How often the inbox has been entered, which is left when it ends: at first by its making.
  var entries = 1
  var hasFitted = false
  var isWaitingForRoom = false
  /// Those who iterate over the outcomes of a run.
  var runs: Set<Int> = []
}

/// Targets that are made when they are needed. Touched by the loop's thread alone.
final class TargetSource<Handler: ConnectionHandler> {
  private let draw: () -> Target?
  let handler: (Target, ConnectionID) -> Handler

  init(handler: @escaping (Target, ConnectionID) -> Handler, _ draw: @escaping () -> Target?) {
    self.handler = handler
    self.draw = draw
  }

  func next() -> Target? { draw() }
}
