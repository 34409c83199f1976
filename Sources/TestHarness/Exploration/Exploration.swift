/// What ``explore(seeds:faults:systemCalls:timeLimit:budget:concurrency:onProgress:_:)`` has tried without finding a
/// failure.
public struct Exploration: Hashable, Sendable {
  /// How far it has come.
  public enum Progress: Hashable, Sendable {
    /// So many seeds have been tried, and none has failed.
    case explored(seeds: Int)
    /// A seed has failed; in so many runs its faults have come down to so many.
    case shrinking(seed: UInt64, faults: Int, runs: Int)
  }

  /// How many seeds were tried.
  public internal(set) var seeds = 0
  /// How many faults were planned for them, in all.
  public internal(set) var faults = 0
  /// How long their simulations took, in their own time, in all.
  public internal(set) var elapsed = Duration.zero
  /// Whether the budget was used up before all seeds were tried.
  public internal(set) var isCutShort = false
  /// What was run alone, where that was asked for.
  public internal(set) var replayed: ReplayToken?
}

extension Exploration: CustomStringConvertible {
  /// In words: `10000 seeds with 24980 faults, 166 h 40 min of their own time: no failure`.
  public var description: String {
    if let replayed { return "\(replayed) was run again, and did not fail" }
    let rest = isCutShort ? "; the budget was used up before the other seeds" : ""
    return
      "\(seeds.of("seed")) with \(faults.of("fault")), \(elapsed.briefly) of their own time: no failure\(rest)"
  }
}

extension Exploration.Progress: CustomStringConvertible {
  /// In words.
  public var description: String {
    switch self {
    case .explored(let seeds): "\(seeds.of("seed")) tried"
    case .shrinking(let seed, let faults, let runs):
      "seed \(seed) fails: \(faults.of("fault")) left after \(runs.of("run"))"
    }
  }
}
