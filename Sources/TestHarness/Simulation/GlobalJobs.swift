import CLinux
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

  static func stopRedirectingThisThread() {
    guard isPossible, let value = unsafe pthread_getspecific(key) else { return }
    pthread_setspecific(key, nil)
    unsafe Unmanaged<Redirection>.fromOpaque(value).release()
  }

  /// What a job is about to run, where a task goes on: the function's name if the dynamic linker knows it, else the file
  /// and the place in it, for `llvm-symbolizer`.
  static func describe(_ job: UnownedJob) -> String {
    // A job's layout is part of Swift's binary interface; the function that it runs is at this place.
    let job = unsafe unsafeBitCast(job, to: UnsafeRawPointer.self)
    let function = unsafe job.load(fromByteOffset: 56, as: UnsafeRawPointer?.self)
    var symbol = unsafe clinux_symbol()
    guard let function = unsafe function, unsafe dladdr(function, &symbol) != 0 else {
      return "an unknown function"
    }
    if let name = unsafe symbol.name, let text = unsafe swift_demangle(name, strlen(name), nil, nil, 0) {
      defer { unsafe free(text) }
      return unsafe String(cString: text)
    }
    let file = unsafe symbol.file.map { unsafe String(cString: $0) } ?? "?"
    let place = unsafe UInt(bitPattern: function) - UInt(bitPattern: symbol.base)
    return "\(file) 0x\(String(place, radix: 16))"
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
