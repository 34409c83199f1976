import CLinux
import Glibc

/// Keeps what Swift's runtime does on a simulation's thread in the simulation: jobs for the global executor (`Task {}`,
/// `Task.detached`, default actors) go to the simulation's loop, and its clocks show the simulation's time.
///
/// The runtime has a variable for the one, which is part of no interface and is looked up by name; for the other its
/// calls of clock_gettime(2), and nobody else's, are redirected. Where either is missing, such jobs leave the simulation
/// as they would leave any executor.
enum SimulationThread {
  private typealias Original = @convention(thin) (UnownedJob) -> Void
  private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void
  private typealias ClockRead = @convention(c) (clockid_t, UnsafeMutablePointer<timespec>) -> Int32

  private final class Simulation {
    let enqueue: @Sendable (UnownedJob) -> Void
    /// In nanoseconds.
    let now: @Sendable () -> Int64

    init(enqueue: @escaping @Sendable (UnownedJob) -> Void, now: @escaping @Sendable () -> Int64) {
      self.enqueue = enqueue
      self.now = now
    }
  }

  /// Whether the runtime allows all this.
  static let isPossible = redirectJobs() && redirectClocks()

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    // Called when the thread ends.
    unsafe pthread_key_create(&key) { value in
      if let value = unsafe value { unsafe Unmanaged<Simulation>.fromOpaque(value).release() }
    }
    return key
  }()

  /// From now on the calling thread belongs to a simulation.
  static func begin(
    enqueue: @escaping @Sendable (UnownedJob) -> Void, now: @escaping @Sendable () -> Int64
  ) {
    guard isPossible else { return }
    let simulation = Simulation(enqueue: enqueue, now: now)
    unsafe pthread_setspecific(key, Unmanaged.passRetained(simulation).toOpaque())
  }

  static func end() {
    guard isPossible, let value = unsafe pthread_getspecific(key) else { return }
    pthread_setspecific(key, nil)
    unsafe Unmanaged<Simulation>.fromOpaque(value).release()
  }

  /// Does something of which nothing belongs to the simulation.
  static func outside(_ body: () -> Void) {
    guard isPossible, let value = unsafe pthread_getspecific(key) else { return body() }
    pthread_setspecific(key, nil)
    body()
    unsafe pthread_setspecific(key, value)
  }

  private static var current: Simulation? {
    guard let value = unsafe pthread_getspecific(key) else { return nil }
    return unsafe Unmanaged<Simulation>.fromOpaque(value).takeUnretainedValue()
  }

  private static func redirectJobs() -> Bool {
    _ = key
    guard let symbol = unsafe dlsym(dlopen(nil, RTLD_NOW), "swift_task_enqueueGlobal_hook")
    else { return false }
    let slot = unsafe symbol.assumingMemoryBound(to: Hook?.self)
    unsafe slot.pointee = { job, original in
      if let simulation = SimulationThread.current { simulation.enqueue(job) } else { original(job) }
    }
    return true
  }

  private static func redirectClocks() -> Bool {
    let read: ClockRead = { clock, time in
      guard let simulation = SimulationThread.current else { return unsafe clock_gettime(clock, time) }
      let (seconds, nanoseconds) = simulation.now().quotientAndRemainder(dividingBy: 1_000_000_000)
      // By place: in release builds the compiler does not always know which module has the names of the two.
      let fields = UnsafeMutableRawPointer(time)
      unsafe fields.storeBytes(of: Int(seconds), as: Int.self)
      unsafe fields.storeBytes(of: Int(nanoseconds), toByteOffset: MemoryLayout<Int>.size, as: Int.self)
      return 0
    }
    guard let library = unsafe dlopen("libswift_Concurrency.so", RTLD_NOW | RTLD_NOLOAD) else { return false }
    return unsafe clinux_redirect_calls(
      library, "clock_gettime", unsafeBitCast(read, to: UnsafeMutableRawPointer.self))
  }

  /// Whether the caller is in a simulation.
  static var isCurrent: Bool { isPossible && current != nil }

  /// The address of the function with which a job's task goes on.
  static func function(of job: UnownedJob) -> UInt {
    // A job's layout is part of Swift's binary interface; the function that it runs is at this place.
    let job = unsafe unsafeBitCast(job, to: UnsafeRawPointer.self)
    return unsafe job.load(fromByteOffset: 56, as: UInt.self)
  }

  /// Functions of the runtime's, some of which are compiled into those who call them.
  private static let runtime = [
    "libswift_Concurrency", "withCheckedContinuation", "withCheckedThrowingContinuation",
    "withTaskCancellationHandler", "task_group_wait_resume_adapter",
  ]

  /// What has come from outside with this function: the runtime's own tell nothing of the program.
  static func stray(_ address: UInt) -> String {
    let name = name(ofFunction: address)
    return runtime.contains { name.contains($0) }
      ? "a task of the simulation awaited something outside of it, such as another event loop" : name
  }

  /// The function's name if the dynamic linker knows it, else how llvm-symbolizer(1) finds it out.
  static func name(ofFunction address: UInt) -> String {
    var symbol = unsafe clinux_symbol()
    guard let function = unsafe UnsafeRawPointer(bitPattern: address), unsafe dladdr(function, &symbol) != 0
    else { return "an unknown function" }
    let file = unsafe symbol.file.map { unsafe String(cString: $0) } ?? "?"
    if let name = unsafe symbol.name, let text = unsafe swift_demangle(name, strlen(name), nil, nil, 0) {
      defer { unsafe free(text) }
      return unsafe String(cString: text)
    }
    let place = unsafe address - UInt(bitPattern: symbol.base)
    return "llvm-symbolizer --obj='\(file)' 0x\(String(place, radix: 16)) | swift demangle"
  }
}
