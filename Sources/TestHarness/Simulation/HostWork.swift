import AsyncSockets

/// What a host of a simulation runs: services, at each boot, and the tasks of its process, which end with that.
final class HostWork: Sendable {
  typealias Service = @Sendable () async throws -> Void

  private struct State {
    var services: [Service] = []
    /// In the order in which they began.
    var tasks: [(id: Int, task: Task<Void, Never>)] = []
    var lastTask = 0
    var isOver = false
  }

  private let state = Lock(State())

  /// Those that every process of the host runs from its beginning.
  var services: [Service] { state.withLock { $0.services } }

  /// The host boots no more. Its services, which may hold the world, are forgotten, and so are those that come.
  func end() {
    state.withLock { state in
      state.isOver = true
      state.services = []
    }
  }

  func add(_ service: @escaping Service) {
    state.withLock { state in
      if !state.isOver { state.services.append(service) }
    }
  }

  /// - Returns: under which number it is to be removed.
  func add(_ task: Task<Void, Never>) -> Int {
    state.withLock { state in
      state.lastTask += 1
      state.tasks.append((state.lastTask, task))
      return state.lastTask
    }
  }

  func remove(_ id: Int) { state.withLock { state in state.tasks.removeAll { $0.id == id } } }

  /// Cancels all of them.
  func cancelTasks() {
    for (_, task) in state.withLock({ $0.tasks }) { task.cancel() }
  }
}
