/// What ``sweepCancellation(seed:faults:at:limit:_:)`` has tried.
public struct CancellationSweep: Hashable, Sendable {
  /// The seed of the simulation.
  public let seed: UInt64
  /// At how many points the scenario can be cancelled.
  public let points: Int
  /// Which was tried: every one, every second, …
  public let stride: Int
  /// At how many points it has been cancelled.
  public private(set) var tried = 0
  /// How many times it has thrown `CancellationError`; the other times it returned all the same.
  public private(set) var cancelled = 0

  private let only: Int?

  init(seed: UInt64, points: Int, only: Int?, limit: Int) {
    self.seed = seed
    self.points = points
    self.only = only
    stride = max(1, (points - 1) / limit + 1)
  }

  var pointsToTry: [Int] {
    if let only { return [only] }
    return Array(Swift.stride(from: 1, through: points, by: stride))
  }

  mutating func note(_ wasCancelled: Bool) {
    tried += 1
    if wasCancelled { cancelled += 1 }
  }
}

extension CancellationSweep: CustomStringConvertible {
  /// In words: `cancelled at 120 of 120 points (seed 7): 112 times it threw CancellationError, 8 times it returned`.
  public var description: String {
    let skipped = stride > 1 && only == nil ? ", at one in \(stride)" : ""
    return "cancelled at \(tried) of \(points) points\(skipped) (seed \(seed)): "
      + "\(cancelled) times it threw CancellationError, \(tried - cancelled) times it returned"
  }
}
