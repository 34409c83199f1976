import AsyncSockets

/// Draws targets from an async sequence, one after the other, as fast as they are wanted.
final class Feeding: Sendable {
  private let errand: Errand
  private let hasBegun: Latch

  /// It inherits the values of the current task, and begins later.
  ///
  /// - Parameters:
  ///   - give: takes a target, and calls back when the next is wanted.
  ///   - whenOver: called when there are no more, or it was cancelled.
  init<Targets: AsyncSequence & Sendable>(
    on loop: EventLoop, _ targets: Targets,
    give: @escaping @Sendable (Target, _ goOn: @escaping @Sendable () -> Void) -> Void,
    whenOver: @escaping @Sendable () -> Void
  ) where Targets.Element == Target, Targets.Failure == Never {
    let hasBegun = Latch()
    self.hasBegun = hasBegun
    errand = Errand(on: loop) {
      _ = await hasBegun.wait(on: loop, isCancellable: false)
      for await target in targets {
        await withCheckedContinuation { continuation in
          give(target) { continuation.resume() }
        }
        if Task.isCancelled { break }
      }
      whenOver()
    }
  }

  func begin() { hasBegun.open() }

  func cancel() { errand.cancel() }
}
