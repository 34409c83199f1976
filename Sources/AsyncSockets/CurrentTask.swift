import CLinux

/// The task that is running, asked of the runtime itself: what the compiler's own code pays a few instructions for
/// costs the public functions a hundred, which would be felt on every message.
enum CurrentTask {
  /// Names the task, as a number to compare with; 0 for none. It does so for as long as the task lives, so whoever
  /// keeps one must be sure of that.
  @inline(__always)
  static var identity: UInt { unsafe UInt(bitPattern: swift_task_getCurrent()) }

  /// Whether the task has been cancelled; not when there is none.
  @inline(__always)
  static var isCancelled: Bool {
    guard let task = unsafe swift_task_getCurrent() else { return false }
    return unsafe swift_task_isCancelled(task)
  }

  @inline(__always)
  static func checkCancellation() throws(CancellationError) {
    if isCancelled { throw CancellationError() }
  }
}
