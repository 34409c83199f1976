/// Decides in which order a loop runs the jobs that are ready, where that is not the order in which they came.
package protocol JobOrder: AnyObject, Sendable {
  /// Gives it the way by which it may add jobs of its own to the loop's.
  func attach(_ enqueue: @escaping @Sendable (UnownedJob) -> Void)

  /// A job comes from another thread than the loop's; called on that thread.
  func noticeForeign(_ job: UnownedJob)

  /// Rearranges the jobs of a turn; called on the loop's thread before it runs them.
  ///
  /// - Returns: how many of them to run in this turn, at least one if any are left; the others wait for the next.
  func arrange(_ jobs: inout ContiguousArray<UnownedJob>) -> Int
}
