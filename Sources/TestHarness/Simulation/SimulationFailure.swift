/// A simulation has failed, and how to see it fail again.
public struct SimulationFailure: Error, CustomStringConvertible {
  /// The seed that fails.
  public let seed: UInt64
  /// When it ended, in its own time.
  public let elapsed: Duration
  /// What the body threw, or what is wrong with what it left behind.
  public let underlying: any Error
  /// The last things that happened.
  public let trace: [String]
  /// What was done to the network, and what it could not do: cuts, resets, conditions, connections to where nobody is.
  /// The last hundred.
  public let disturbances: [String]
  /// What happened, for a person to read, as far as the trace goes back: `print(failure.timeline.last(40))`.
  public internal(set) var timeline = SimulationTimeline()

  /// The error, the seed, what had disturbed the network, and the end of the trace.
  public var description: String {
    """
    the simulation with seed \(seed) failed after \(elapsed.briefly): \(underlying)
    To run it again: withSimulation(seed: \(seed)), or ASYNCSOCKETS_SEED=\(seed) where no other seed is given.\(history)
    """
  }

  /// What happened, in lines of their own with a heading, if anything did.
  var history: String {
    let thrown = SimulatedNetwork.thrown(underlying)
    // What follows is only the clearing up.
    let last = trace.firstIndex { $0.hasSuffix(thrown) } ?? trace.endIndex - 1
    let end = trace.prefix(last + 1).suffix(20)
    let before = disturbances.filter { !end.contains($0) }
    let lines = before + (before.isEmpty ? [] : ["…"]) + end
    if lines.isEmpty { return "" }
    return "\nThe last that happened (with hosts side by side: print(failure.timeline)):"
      + lines.map { "\n  \($0)" }.joined()
  }
}

/// The same seed has led to two different runs.
public struct SimulationDiverged: Error, CustomStringConvertible {
  /// The seed.
  public let seed: UInt64
  /// The first lines of the traces that differ, where they are still kept.
  public let difference: String

  /// In words, with the lines.
  public var description: String {
    """
    two runs with seed \(seed) differ: something in them depends on neither the seed nor the simulation's time, \
    such as the order of a Set or Dictionary, the system's clock or random numbers, or another thread
    \(difference)
    """
  }
}

/// Something has left the simulation and come back: a function of another actor that insists on an executor of its own
/// (`@MainActor`), a callback of another thread. What it does there, and how long that takes, follows from no seed.
public struct StrayJobs: Error, CustomStringConvertible {
  /// The functions that went on in the simulation when something outside of it had ended: names, or the commands that
  /// print them.
  public let functions: [String]

  /// In words, with the functions.
  public var description: String {
    var seen = Set<String>()
    let different = functions.filter { seen.insert($0).inserted }
    let more = different.count > 10 ? "\n  and \(different.count - 10) more" : ""
    return """
      \(functions.count.of("job")) came into the simulation from other threads, such as the main actor's. \
      What went on then (where a name is not known, the command prints it and its line):
        \(different.prefix(10).joined(separator: "\n  "))\(more)
      """
  }
}
