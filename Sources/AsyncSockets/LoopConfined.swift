/// State that only one thread touches: the one of the event loop that owns it.
///
/// The compiler cannot know which thread runs, so this is where it is told to trust us; whoever reads or writes
/// `value` has asked `EventLoopCore.isCurrent` first, or is called by the loop itself.
@safe
@usableFromInline
package struct LoopConfined<Value>: ~Copyable, @unchecked Sendable {
  @usableFromInline let storage: UnsafeMutablePointer<Value>

  @inlinable
  package init(_ value: Value) {
    unsafe storage = .allocate(capacity: 1)
    unsafe storage.initialize(to: value)
  }

  @inlinable
  deinit {
    unsafe storage.deinitialize(count: 1)
    unsafe storage.deallocate()
  }

  @inlinable @inline(__always)
  package var value: Value {
    unsafeAddress { unsafe UnsafePointer(storage) }
    nonmutating unsafeMutableAddress { unsafe storage }
  }
}
