/// Something with a descriptor that an event loop watches.
protocol Pollable: AnyObject, Sendable {
  /// Runs `body` with the descriptor while it cannot be closed; `nil` when it is closed already.
  func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result?

  /// The descriptor has become ready; called on the loop.
  func ready(_ events: Epoll.Events)

  /// The loop could not watch the descriptor.
  func registrationFailed(_ error: SocketError)

  /// The loop has stopped: nothing will become ready any more.
  func loopStopped()

  /// Enters itself into a description of the loop, on which it is called.
  func describe(to snapshot: inout EventLoop.Snapshot)
}

/// Something that waits for a point in time.
package protocol DeadlineTarget: AnyObject, Sendable {
  /// The deadline set with this token has come, or the loop stopped before it; called on the loop.
  func deadlineReached(_ token: UInt64)
}

package struct ScheduledDeadline {
  let target: any DeadlineTarget
  let token: UInt64
}
