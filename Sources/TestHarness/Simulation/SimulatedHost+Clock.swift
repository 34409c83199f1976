import AsyncSockets

extension SimulatedHost {
  /// The host's own clock, such as its time of day: for code that takes a clock, or compares times of several machines.
  ///
  /// It counts from the beginning of the simulation, and is right until ``setClock(offset:drift:)`` or ``moveClock(by:)``.
  /// What only measures how long something takes is not touched by that, as on a real machine: the deadlines of this
  /// library, the clock of an event loop, `ContinuousClock`, `SuspendingClock` and `Task.sleep`.
  public struct Clock: _Concurrency.Clock {
    fileprivate let host: SimulatedHost

    /// What the clock shows.
    public var now: EventLoop.Instant {
      host.world.network.withLock { network in
        EventLoop.Instant(nanoseconds: network.hosts[host.number].time.reading(at: network.now.nanoseconds))
      }
    }

    /// A nanosecond.
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// Sleeps for as long as it will take the clock to come to `deadline`, at the pace that it has now. A clock that is
    /// set meanwhile is not looked at again.
    ///
    /// - Throws: `CancellationError`.
    public func sleep(until deadline: EventLoop.Instant, tolerance: Duration?) async throws {
      let wait = host.world.network.withLock { network in
        let time = network.hosts[host.number].time
        return time.truth(of: deadline.nanoseconds &- time.reading(at: network.now.nanoseconds))
      }
      try await host.world.loop.sleep(for: .nanoseconds(wait))
    }
  }

  /// The host's own clock.
  public var clock: Clock { Clock(host: self) }

  /// Sets the host's ``clock``.
  ///
  /// - Parameters:
  ///   - offset: how far it is ahead of the simulation's time now; negative where it is behind.
  ///   - drift: by which share it runs fast from now on, such as 0.0001; negative where it is slow. Between -0.5 and 1;
  ///     anything else ends the simulation with `SimulationError.invalid`.
  public func setClock(offset: Duration, drift: Double = 0) {
    guard (-0.5...1).contains(drift) else {
      return world.services.fail(
        SimulationError.invalid("a clock cannot run fast by a share of \(drift): give one from -0.5 to 1"))
    }
    world.network.withLock { network in
      network.disturb("the clock of \(name) is set \(Self.text(of: offset))")
      let now = network.now.nanoseconds
      network.hosts[number].time.set(to: now &+ offset.inNanoseconds, drift: drift, at: now)
    }
  }

  /// Sets the host's ``clock`` forward, or back by a negative duration.
  public func moveClock(by step: Duration) {
    world.network.withLock { network in
      network.disturb("the clock of \(name) jumps \(Self.text(of: step))")
      network.hosts[number].time.move(by: step.inNanoseconds, at: network.now.nanoseconds)
    }
  }

  private static func text(of offset: Duration) -> String {
    offset < .zero ? "back by \((.zero - offset).briefly)" : "ahead by \(offset.briefly)"
  }
}

extension Duration {
  fileprivate var inNanoseconds: Int64 { EventLoop.Instant(nanoseconds: 0).advanced(by: self).nanoseconds }
}
