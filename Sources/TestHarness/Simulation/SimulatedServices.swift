import AsyncSockets

/// What runs in the background of a simulation, until its body has ended.
final class SimulatedServices: Sendable {
  typealias Service = @Sendable () async throws -> Void

  private struct State {
    var waiting: [Service] = []
    var failure: (any Error)?
    var change = Latch()
  }

  private let state = Lock(State())

  func add(_ service: @escaping Service) {
    state.withLock { state in
      state.waiting.append(service)
      return state.change
    }.open()
  }

  /// Runs all that are there and all that come, until it is cancelled or one of them fails.
  func run(on loop: EventLoop) async throws {
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
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  private func run(_ service: Service) async {
    do {
      try await service()
    } catch is CancellationError {
    } catch {
      state.withLock { state in
        if state.failure == nil { state.failure = error }
        return state.change
      }.open()
    }
  }
}
