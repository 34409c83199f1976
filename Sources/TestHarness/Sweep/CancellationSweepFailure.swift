import AsyncSockets

/// A scenario that does not end as it should when it is cancelled at some point, and how to see that again.
public struct CancellationSweepFailure: Error, CustomStringConvertible {
  /// Where it was cancelled, counted from 1.
  public let point: Int
  /// At how many points it can be.
  public let points: Int
  /// The seed, what was wrong, and the end of the trace.
  public let failure: SimulationFailure

  /// The error, the point, the seed, and the end of the trace.
  public var description: String {
    """
    cancelled at point \(point) of \(points), the scenario with seed \(failure.seed) failed after \
    \(failure.elapsed.briefly): \(failure.underlying)
    To run it again: sweepCancellation(seed: \(failure.seed), at: \(point))\(failure.history)
    """
  }
}
