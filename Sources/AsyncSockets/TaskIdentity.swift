/// Which task is running, as a number to compare with; 0 for none.
///
/// It names a task for as long as that lives, so whoever keeps one must be sure that it does.
enum TaskIdentity {
  @inline(__always)
  static var current: UInt {
    unsafe withUnsafeCurrentTask { task in
      guard let task = unsafe task else { return 0 }
      return unsafe unsafeBitCast(task, to: UInt.self)
    }
  }
}
