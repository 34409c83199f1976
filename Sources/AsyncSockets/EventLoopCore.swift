import CLinux
import Glibc
import Synchronization

/// The machinery of one event loop: its job queue, its registrations and deadlines, and the turn that serves them.
///
/// It is the executor of the `EventLoop` actor and of every task that prefers the loop. What belongs to the
/// loop's thread alone is in `local`; what other threads may touch is in `shared`, behind a lock.
class EventLoopCore: TaskExecutor, SerialExecutor, @unchecked Sendable {
  @safe
  struct Local {
    var jobs: ContiguousArray<UnownedJob> = []
    var operations: ContiguousArray<Operation> = []
    /// Connections with output to flush at the end of the turn.
    var dirty: ContiguousArray<ConnectionCore> = []
    /// Tasks that have used up their share of this turn.
    var nextTurn: ContiguousArray<WakeContinuation> = []
    var table = RegistrationTable()
    /// Connections over transports without a descriptor.
    var others: [ConnectionCore] = []
    /// Where frames are encoded before a connection takes their bytes.
    var encoded: [UInt8] = []
    /// What the handler that is being called sends: from `sentStart` on, behind what others have sent before.
    var sent: [UInt8] = []
    var sentStart = 0
    /// Whose handler has sent that.
    var sender: Unmanaged<ConnectionDriver>?
    /// Output memory of whoever wrote last, for the next.
    var spareOutput: OutputQueue.Memory?
    var now: EventLoop.Instant
    var hasStopped = false
    /// Nothing of the users' is being called right now, so that a handler may be.
    var mayCallHandlers = false
    var turns: UInt64 = 0
    /// How many jobs the turn ran.
    var jobsOfTurn = 0
    /// Nanoseconds.
    var longestTurn: Int64 = 0

    /// Whether a turn of that length is to be looked at.
    @inline(__always)
    func isNoteworthy(_ turn: Int64) -> Bool { turn > longestTurn || turn > EventLoop.LongTurn.limit }
  }

  /// What another thread asks of the loop.
  enum Operation {
    case register(any Pollable)
    case deregister(any Pollable, descriptor: Int32)
    case flush(ConnectionCore)
    /// A connection over a transport that epoll knows nothing of.
    case remember(ConnectionCore)
    case forget(ConnectionCore)
    case ready(ConnectionCore, TransportReadiness)
    case nextTurn(WakeContinuation)
    case drive(ConnectionDriver, Wake)
    /// For a driver, between its callbacks.
    case call(@Sendable () -> Void)
  }

  enum Phase {
    case running
    case stopping
    /// No thread. The next job starts one.
    case stopped
    /// A thread runs the jobs that came after the stop, and nothing else.
    case draining
  }

  struct Shared {
    var jobs: ContiguousArray<UnownedJob> = []
    var operations: ContiguousArray<Operation> = []
    var deadlines = DeadlineHeap<ScheduledDeadline>()
    var phase = Phase.running
    /// The loop is in its wait, or about to be, and must be interrupted to notice anything.
    var isAsleep = false
    var stopWaiters: [WakeContinuation] = []
    var longTurnHandlers: [(id: UInt64, handler: @Sendable (EventLoop.LongTurn) -> Void)] = []
    var lastLongTurnHandler: UInt64 = 0
    /// Those of the first connections that were abandoned, for reports.
    var abandonedPeers: [SocketAddress?] = []
  }

  let kernel: any Kernel
  /// Whether reads and writes may call it without the protocol between, whose value would be counted for each call.
  private let runsOnLinux: Bool
  let clock: any LoopClock
  /// `nil`: first come, first served.
  let order: (any JobOrder)?
  let local: LoopConfined<Local>
  let shared = Lock(Shared())
  let scratch = ScratchBuffer()
  let poller: any Poller
  let registrations = Atomic<Int>(0)
  let abandoned = Atomic<Int>(0)
  /// When the turn under way began, in nanoseconds; the end of time while the loop sleeps.
  let turnBegan = Atomic<Int64>(.max)
  /// The loop's thread; 0 when there is none, since the system gives the number of a thread that has ended to the
  /// next.
  let thread = Atomic<UInt>(0)

  init(
    clock: any LoopClock, kernel: any Kernel, order: (any JobOrder)? = nil
  ) throws(SocketError) {
    self.clock = clock
    self.kernel = kernel
    runsOnLinux = kernel === LinuxKernel.shared
    local = LoopConfined(unsafe Local(now: clock.now))
    self.order = order
    poller = try kernel.makePoller()
    try startThread()
    // Once there has been a weak reference, whoever retains the loop pays several times as much. This clock never jumps.
    if clock !== MonotonicClock.shared { clock.attach { [weak self] in self?.wake() } }
    order?.attach { [weak self] in self?.enqueue(ExecutorJob($0)) }
  }

  deinit { local.value.spareOutput?.deallocate() }

  /// Whether the caller runs on the loop's thread, and may touch `local` and `scratch`.
  @inline(__always)
  var isCurrent: Bool { pthread_self() == thread.load(ordering: .relaxed) }

  /// The time: on the loop, that of the turn's beginning.
  @inline(__always)
  var now: EventLoop.Instant { isCurrent ? local.value.now : clock.now }

  @inline(__always)
  func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    if runsOnLinux { return unsafe LinuxKernel.receive(descriptor, into: buffer) }
    return unsafe kernel.receive(descriptor, into: buffer)
  }

  @inline(__always)
  func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    if runsOnLinux { return unsafe LinuxKernel.send(descriptor, bytes) }
    return unsafe kernel.send(descriptor, bytes)
  }

  private func startThread() throws(SocketError) {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    var thread = pthread_t()
    let core = unsafe Unmanaged.passRetained(self)
    let result = unsafe pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let core = unsafe Unmanaged<EventLoopCore>.fromOpaque(argument).takeRetainedValue()
        core.thread.store(pthread_self(), ordering: .relaxed)
        core.run()
        return nil
      }, core.toOpaque())
    if result != 0 {
      unsafe core.release()
      throw .failed(Errno(result), call: "pthread_create", address: nil)
    }
  }
}

// MARK: - Jobs

extension EventLoopCore {
  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent {
      local.value.jobs.append(job)
    } else {
      order?.noticeForeign(job)
      submit { $0.jobs.append(job) }
    }
  }

  func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }
  func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

  func checkIsolated() { precondition(isCurrent, "this code must run on its event loop") }
  func isIsolatingCurrentContext() -> Bool? { isCurrent }

  /// Asks something of the loop: now when called on it, else with at most one wake-up for any number of requests.
  func perform(_ operation: Operation) {
    if isCurrent {
      execute(operation)
    } else {
      submit { $0.operations.append(operation) }
    }
  }

  /// The same, but never before this function has returned.
  func performLater(_ operation: Operation) {
    if isCurrent {
      local.value.operations.append(operation)
    } else {
      submit { $0.operations.append(operation) }
    }
  }

  func wake() {
    submit { _ in }
  }

  private func submit(_ change: (inout Shared) -> Void) {
    let (interrupt, restart) = shared.withLock { shared -> (Bool, Bool) in
      change(&shared)
      if shared.phase == .stopped, !shared.jobs.isEmpty || !shared.operations.isEmpty {
        // A job that is never run is a task that hangs for ever, so the dead loop gets a thread once more.
        shared.phase = .draining
        return (false, true)
      }
      defer { shared.isAsleep = false }
      return (shared.isAsleep, false)
    }
    if interrupt { poller.interrupt() }
    if restart {
      do { try startThread() } catch { run() }
    }
  }

  /// Suspends until the loop has asked the kernel for events once more, behind everything that was ready now.
  func nextTurn() async {
    _ = await WakeContinuation.suspend { continuation in
      perform(.nextTurn(continuation))
    }
  }
}

// MARK: - Deadlines

extension EventLoopCore {
  /// Schedules a call of `deadlineReached`; `nil` when the loop has stopped, and nothing will come.
  func schedule(
    _ target: any DeadlineTarget, token: UInt64, due: EventLoop.Instant
  ) -> DeadlineID? {
    let (id, isEarliest) = shared.withLock { shared -> (DeadlineID?, Bool) in
      guard shared.phase == .running else { return (nil, false) }
      let earlier = shared.deadlines.next
      let id = shared.deadlines.insert(ScheduledDeadline(target: target, token: token), due: due)
      return (id, earlier.map { due < $0 } ?? true)
    }
    if isEarliest, !isCurrent { wake() }
    return id
  }

  func cancelDeadline(_ id: DeadlineID) {
    shared.withLock { $0.deadlines.remove(id) }
  }
}

// MARK: - Stopping

extension EventLoopCore {
  /// Ends the loop: its connections fail with `.closed`, its deadlines come at once, its jobs still run.
  func stop() {
    submit { shared in
      if shared.phase == .running { shared.phase = .stopping }
    }
  }

  func stopAndWait() async {
    _ = await WakeContinuation.suspend { continuation in
      let alreadyStopped = shared.withLock { shared -> Bool in
        if shared.phase == .stopped || shared.phase == .draining { return true }
        shared.stopWaiters.append(continuation)
        return false
      }
      if alreadyStopped { continuation.resume() } else { stop() }
    }
  }
}
