#if THREAD_SANITIZER
  import Glibc

  /// A mutex that ThreadSanitizer understands: it knows pthread's, and reports false races on the standard library's.
  @safe
  @usableFromInline
  package struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let value: UnsafeMutablePointer<Value>
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>

    @inlinable
    package init(_ value: consuming sending Value) {
      unsafe self.value = .allocate(capacity: 1)
      unsafe self.value.initialize(to: value)
      unsafe mutex = .allocate(capacity: 1)
      unsafe pthread_mutex_init(mutex, nil)
    }

    @inlinable
    deinit {
      unsafe pthread_mutex_destroy(mutex)
      unsafe mutex.deallocate()
      unsafe value.deinitialize(count: 1)
      unsafe value.deallocate()
    }

    @inlinable
    package func withLock<Result: ~Copyable, Failure>(
      _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
      unsafe pthread_mutex_lock(mutex)
      defer { unsafe pthread_mutex_unlock(mutex) }
      return try unsafe body(&value.pointee)
    }
  }
#else
  import Synchronization

  /// Mutual exclusion for state that several threads may touch. Nothing suspends, resumes, cancels or calls
  /// user code while it is held.
  @usableFromInline
  package struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let mutex: Mutex<Unchecked>

    /// Lets non-`Sendable` results of a critical section out, as `Mutex` itself would not.
    @usableFromInline
    struct Unchecked: ~Copyable, @unchecked Sendable {
      @usableFromInline var value: Value

      @inlinable
      init(value: consuming Value) { self.value = value }
    }

    @inlinable
    package init(_ value: consuming sending Value) {
      mutex = Mutex(Unchecked(value: value))
    }

    @inlinable @inline(__always)
    package func withLock<Result: ~Copyable, Failure>(
      _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
      try mutex.withLock { state throws(Failure) in
        try body(&state.value)
      }
    }
  }
#endif
