import AsyncSockets

/// A task that belongs to a client: the look-up of a name, or the drawing of targets from an async sequence.
///
/// What a client does begins and ends with callbacks of its loop, so there is no scope whose child such a task could be.
/// The client cancels those that are left when it is over.
final class Errand: Sendable {
  private let task: Task<Void, Never>

  init(on loop: EventLoop, _ body: @escaping @Sendable () async -> Void) {
    task = Task(executorPreference: loop.executor) { await body() }
  }

  func cancel() { task.cancel() }
}
