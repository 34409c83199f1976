import AsyncSockets

/// What runs in the background of a simulation, until its body has ended.
final class SimulatedServices: Sendable {
  struct Service: Sendable {
    let host: String
    let body: @Sendable () async throws -> Void
  }

  private struct State {
    var waiting: [Service] = []
    /// How many run, by their host.
    var running: [String: Int] = [:]
    var failure: (any Error)?
    var change = Latch()
    /// Nothing begins any more.
    var isOver = false
  }

  private let state = Lock(State())
  private let network: SharedNetwork

  init(network: SharedNetwork) { self.network = network }

  /// Which have not ended, in words.
  var running: [String] {
    state.withLock { $0.running }.filter { $0.value > 0 }.sorted { $0.key < $1.key }
      .map { "\($0.value.of("service")) of \($0.key)" }
  }

  /// What ends the simulation.
  var failure: (any Error)? { state.withLock { $0.failure } }

  /// The first error ends the simulation.
  func fail(_ error: any Error) {
    state.withLock { state in
      if state.failure == nil { state.failure = error }
      return state.change
    }.open()
  }

  /// What comes when all is over is forgotten: it may hold the world.
  func add(_ service: Service) {
    state.withLock { state in
      if !state.isOver { state.waiting.append(service) }
      return state.change
    }.open()
  }

  /// Nothing begins any more, and what has not begun never will.
  func end() {
    state.withLock { state in
      state.isOver = true
      state.waiting = []
    }
  }

  /// Runs all that are there and all that come, until it is cancelled or one of them fails.
  func run(on loop: EventLoop) async throws {
    defer { end() }
    await withDiscardingTaskGroup { group in
      while true {
        let (services, isOver, change) = state.withLock { state -> ([Service], Bool, Latch) in
          if state.change.isOpen { state.change = Latch() }
          defer { state.waiting = [] }
          return (state.waiting, state.failure != nil, state.change)
        }
        if isOver { return group.cancelAll() }
        for service in services { group.addTask { await self.run(service) } }
        guard await change.wait(on: loop) == .opened else { return group.cancelAll() }
      }
    }
    if let failure { throw failure }
  }

  private func run(_ service: Service) async {
    state.withLock { $0.running[service.host, default: 0] += 1 }
    defer { state.withLock { $0.running[service.host, default: 1] -= 1 } }
    do {
      try await service.body()
    } catch is CancellationError {
    } catch {
      if failure == nil {
        network.withLock { $0.noteThrown(error, by: "a service of \(service.host)") }
      }
      fail(error)
    }
  }
}
