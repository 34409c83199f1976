import Glibc

/// Keeps the jobs that a simulation's thread would give to the global executor (`Task {}`, `Task.detached`, default
/// actors) with the simulation.
///
/// The runtime has a variable for this, which is part of no interface: it is looked up by name, and where it is missing
/// such jobs leave the simulation as they would leave any executor.
enum GlobalJobs {
  private typealias Original = @convention(thin) (UnownedJob) -> Void
  private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

  private final class Redirection {
    let enqueue: @Sendable (UnownedJob) -> Void

    init(_ enqueue: @escaping @Sendable (UnownedJob) -> Void) { self.enqueue = enqueue }
  }

  /// Whether the runtime lets jobs be redirected.
  static let isPossible = install()

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    // Called when the thread ends.
    unsafe pthread_key_create(&key) { value in
      if let value = unsafe value { unsafe Unmanaged<Redirection>.fromOpaque(value).release() }
    }
    return key
  }()

  /// From now on, jobs that this thread gives to the global executor go there instead.
  static func redirectThisThread(to enqueue: @escaping @Sendable (UnownedJob) -> Void) {
    guard isPossible else { return }
    unsafe pthread_setspecific(key, Unmanaged.passRetained(Redirection(enqueue)).toOpaque())
  }

  private static func install() -> Bool {
    guard let symbol = unsafe dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook")
    else { return false }
    _ = key
    let slot = unsafe symbol.assumingMemoryBound(to: Hook?.self)
    unsafe slot.pointee = { job, original in
      guard let value = unsafe pthread_getspecific(GlobalJobs.key) else { return original(job) }
      unsafe Unmanaged<Redirection>.fromOpaque(value).takeUnretainedValue().enqueue(job)
    }
    return true
  }
}
