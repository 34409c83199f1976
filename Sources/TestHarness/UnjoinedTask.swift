import AsyncSockets

/// A task that is left behind when it ignores its cancellation; a child would be waited for.
final class UnjoinedTask: Sendable {
  /// Opens at its end.
  let end = Latch()
  private let task: Task<Void, Never>

  /// - Parameter loop: Where it runs, if it is no actor's.
  init(on loop: EventLoop?, _ work: @escaping @Sendable () async -> Void) {
    task = Task(executorPreference: loop?.executor) { [end] in
      await work()
      end.open()
    }
  }

  func cancel() { task.cancel() }

  /// Cancels it, and waits for its end.
  ///
  /// - Returns: whether it has come within the grace.
  func cancel(_ grace: Grace) async -> Bool {
    task.cancel()
    _ = await end.wait(
      until: grace.loop.now.advanced(by: grace.duration), on: grace.loop, isCancellable: false)
    return end.isOpen
  }
}
