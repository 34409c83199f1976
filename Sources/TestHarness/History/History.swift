import AsyncSockets

/// What clients asked and servers did, recorded while it happens and judged when it is over.
///
/// ```swift
/// let history = History<String, String>(in: world)
/// // in a client
/// let reply = try await history.request("PUT x 1") { id in try await store.request("\(id) PUT x 1") }
/// // in the server, where the request takes effect
/// history.executed(id, reply: "OK")
/// // when all is over
/// try history.check(.executedAtMostOnce, .acknowledgedMeansExecuted)
/// ```
///
/// A request is known by its id, which client and server must agree on: it travels with the request, as what makes a
/// repeated request known does anyway. One that a client sends several times, over several connections, begins once and
/// ends once.
///
/// A history keeps up to a million events; there is no check of one that has had more.
public final class History<Request: Sendable, Reply: Equatable & Sendable>: Sendable {
  /// Something that happened to a request.
  public typealias Event = HistoryEvent<Request, Reply>

  private struct State {
    var events: [Event] = []
    var isFull = false
    var lastNumber = 0
  }

  private static var mostEvents: Int { 1_000_000 }

  private let state = Lock(State())
  private let world: SimulatedWorld?
  private let loop: EventLoop
  private let begin: EventLoop.Instant
  private let isFailure: @Sendable (any Error) -> Bool

  /// A history of a simulation. What it records stands in the simulation's trace, too.
  ///
  /// - Parameters:
  ///   - world: whose hosts and time its events have.
  ///   - isFailure: which errors of a client say that nobody has done what was asked, and nobody will; with all others
  ///     the outcome is unknown. None unless set.
  public init(
    in world: SimulatedWorld, failing isFailure: @escaping @Sendable (any Error) -> Bool = { _ in false }
  ) {
    self.world = world
    self.isFailure = isFailure
    loop = world.loop
    begin = EventLoop.Instant(nanoseconds: 0)
  }

  /// A history of a real network.
  ///
  /// - Parameters:
  ///   - loop: whose time its events have.
  ///   - isFailure: as in a simulation.
  public init(
    on loop: EventLoop, failing isFailure: @escaping @Sendable (any Error) -> Bool = { _ in false }
  ) {
    world = nil
    self.isFailure = isFailure
    self.loop = loop
    begin = loop.now
  }

  /// What has happened, in order.
  public var events: [Event] { state.withLock { $0.events } }

  // MARK: Recording

  /// Asks, and records the request and its outcome.
  ///
  /// - Parameters:
  ///   - request: what is asked.
  ///   - id: by which client and server know it; a number that no other request of this history has unless set.
  ///   - connection: whose requests are to be executed and answered in the order in which they begin (`.inOrder`).
  ///   - body: asks, as often as it takes, and returns the reply.
  /// - Returns: what the body returns, recorded as the reply.
  /// - Throws: what the body throws, recorded as unknown, or as failed if the history was told that it is.
  public nonisolated(nonsending) func request(
    _ request: Request, id: String? = nil, connection: String? = nil,
    _ body: (_ id: String) async throws -> Reply
  ) async throws -> Reply {
    let id = id ?? nextID()
    began(id, request, connection: connection)
    do {
      let reply = try await body(id)
      replied(id, reply)
      return reply
    } catch {
      if isFailure(error) { failed(id, error) } else { unknown(id, error) }
      throw error
    }
  }

  /// A client begins to ask.
  public func began(_ id: String, _ request: Request, connection: String? = nil) {
    record(.began(request), of: id, connection)
  }

  /// A server has done what was asked; over which connection, where that is not the one with which it began.
  public func executed(_ id: String, reply: Reply? = nil, connection: String? = nil) {
    record(.executed(reply), of: id, connection)
  }

  /// The client has its reply.
  public func replied(_ id: String, _ reply: Reply) { record(.replied(reply), of: id) }

  /// The client has an error that says that nobody has done what was asked, and nobody will.
  public func failed(_ id: String, _ error: any Error) { record(.failed(error), of: id) }

  /// The client does not know what has become of its request, and asks no more.
  public func unknown(_ id: String, _ error: any Error) { record(.unknown(error), of: id) }

  private func nextID() -> String {
    state.withLock { state in
      state.lastNumber += 1
      return "\(state.lastNumber)"
    }
  }

  private func record(_ kind: Event.Kind, of id: String, _ connection: String? = nil) {
    let event = Event(
      id: id, kind: kind, host: world == nil ? nil : SimulatedHost.current?.name, connection: connection,
      time: world?.elapsed ?? begin.duration(to: loop.now))
    state.withLock { state in
      if state.events.count < Self.mostEvents { state.events.append(event) } else { state.isFull = true }
    }
    world?.note(event.text)
  }

  // MARK: Judging

  /// Makes sure that the history is as it should be.
  ///
  /// - Parameter checks: one after the other; every one that needs to know nothing of the service (`HistoryCheck.general`)
  ///   if there are none.
  /// - Throws: `HistoryViolation` for the first that does not hold; `HistoryUndecided` where a check would take too long.
  public func check(_ checks: HistoryCheck<Request, Reply>...) throws {
    let (events, isFull) = state.withLock { ($0.events, $0.isFull) }
    for check in checks.isEmpty ? HistoryCheck.general : checks {
      if isFull {
        throw HistoryUndecided(check: check.name, reason: "there were more than \(Self.mostEvents) events")
      }
      if let problem = try check.problem(events) {
        throw HistoryViolation(check: check.name, message: problem.message, events: problem.events)
      }
    }
  }
}
