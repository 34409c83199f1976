// `Task.sleep` asks the executor that it runs on to wake it, if that can; a loop in a simulation can, so that sleepers
// stay on the simulation's time. The interface is not final in this compiler. Without it such a sleep takes real time,
// on a thread that is not the loop's.
#if compiler(>=6.3) && compiler(<6.4)
  @_spi(ExperimentalScheduling) import _Concurrency

  /// A loop in a simulation. Outside of simulations the sleeps of the standard library stay what they are: a cancelled
  /// one would leave its deadline behind, and one on a loop that stops would never wake.
  final class SchedulingEventLoopCore: EventLoopCore, SchedulingExecutor, @unchecked Sendable {
    func enqueue<C: Clock>(
      _ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C
    ) {
      let delay = delay as? Duration ?? .zero
      let sleeper = Sleeper(job: UnownedJob(job), delay: delay, loop: self)
      // Nobody sleeps on a loop that has stopped: who tries, never wakes, where real time would have let it go on in a
      // world that is no more.
      _ = schedule(sleeper, token: 0, due: now.advanced(by: delay))
    }
  }

  extension EventLoopCore.Shared {
    /// Without the standard library's sleeps of more than a day: it leaves those behind that are cancelled, and nobody
    /// can tell them from others.
    var ownDeadlines: Int {
      deadlines.count { ($0.target as? Sleeper)?.delay ?? .zero <= .seconds(86_400) }
    }
  }

  /// A job that sleeps.
  private final class Sleeper: DeadlineTarget {
    let delay: Duration
    private let job: UnownedJob
    private let loop: EventLoopCore

    init(job: UnownedJob, delay: Duration, loop: EventLoopCore) {
      self.job = job
      self.delay = delay
      self.loop = loop
    }

    func deadlineReached(_ token: UInt64) {
      if !loop.local.value.hasStopped { loop.enqueue(ExecutorJob(job)) }
    }
  }
#else
  extension EventLoopCore.Shared {
    var ownDeadlines: Int { deadlines.count }
  }
#endif
