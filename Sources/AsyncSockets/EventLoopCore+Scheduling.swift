// `Task.sleep` asks the executor that it runs on to wake it, if that can; a loop in a simulation can, so that sleepers
// stay on the simulation's time. The interface is not final in this compiler. Without it such a sleep takes real time,
// on a thread that is not the loop's.
#if compiler(>=6.3) && compiler(<6.4)
  @_spi(ExperimentalScheduling) import _Concurrency

  extension EventLoopCore: SchedulingExecutor {
    // Outside of simulations the sleeps of the standard library stay what they are.
    var asSchedulingExecutor: (any SchedulingExecutor)? { order == nil ? nil : self }

    func enqueue<C: Clock>(
      _ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C
    ) {
      let sleeper = Sleeper(job: UnownedJob(job), loop: self)
      let delay = delay as? Duration ?? .zero
      // Nobody sleeps on a loop that has stopped: who tries, never wakes, where real time would have let it go on in a
      // world that is no more.
      _ = schedule(sleeper, token: 0, due: now.advanced(by: delay))
    }
  }

  /// A job that sleeps.
  private final class Sleeper: DeadlineTarget {
    private let job: UnownedJob
    private let loop: EventLoopCore

    init(job: UnownedJob, loop: EventLoopCore) {
      self.job = job
      self.loop = loop
    }

    func deadlineReached(_ token: UInt64) {
      if !loop.local.value.hasStopped { loop.enqueue(ExecutorJob(job)) }
    }
  }
#endif
