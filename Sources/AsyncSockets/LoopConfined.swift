/// State that only one thread touches: the one of the event loop that owns it.
///
/// The compiler cannot know which thread runs, so this is where it is told to trust us; whoever reads or writes
/// `value` has asked `EventLoopCore.isCurrent` first, or is called by the loop itself.
@safe
struct LoopConfined<Value>: ~Copyable, @unchecked Sendable {
  private let storage: UnsafeMutablePointer<Value>

  init(_ value: Value) {
    unsafe storage = .allocate(capacity: 1)
    unsafe storage.initialize(to: value)
  }

  deinit {
    unsafe storage.deinitialize(count: 1)
    unsafe storage.deallocate()
  }

  @inline(__always)
  var value: Value {
    unsafeAddress { unsafe UnsafePointer(storage) }
    nonmutating unsafeMutableAddress { unsafe storage }
  }
}
