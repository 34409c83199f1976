/// A scenario that fails, and the least that it takes.
public struct ExplorationFailure: Error, CustomStringConvertible {
  /// What the failure follows from.
  public let token: ReplayToken
  /// How it fails with that.
  public let failure: SimulationFailure
  /// With how many faults it was found.
  public let foundFaults: Int
  /// How many runs it took to find out which of them matter.
  public let runs: Int

  /// What happened, for a person to read: `print(failure.timeline.last(40))`.
  public var timeline: SimulationTimeline { failure.timeline }

  /// The token, the faults in words, the error, and the end of the trace.
  public var description: String {
    let found = foundFaults > token.faults.count ? " (of \(foundFaults); \(runs.of("run")) to find out)" : ""
    let faults =
      token.faults.isEmpty
      ? "It takes no fault\(found)."
      : "It takes \(token.faults.count.of("fault"))\(found):"
        + token.faults.map { "\n  after \($0.begin.briefly): \($0)" }.joined()
    return """
      the scenario failed after \(failure.elapsed.briefly): \(failure.underlying)
      \(faults)
      To run it again: explore(replaying: "\(token)"), or ASYNCSOCKETS_REPLAY=\(token)\(failure.history)
      """
  }
}

/// What errors have in common that come from the same mistake.
struct FailureKind: Equatable {
  private let name: String

  init(_ error: any Error) {
    if let stuck = error as? SimulationStuck {
      name = "stuck: \(Self.name(of: stuck.reason))"
    } else if let violation = error as? HistoryViolation {
      name = "a violation of \(violation.check)"
    } else if let undecided = error as? HistoryUndecided {
      name = "\(undecided.check) is undecided"
    } else {
      name = "\(String(reflecting: type(of: error))) \(Self.name(of: error))"
    }
  }

  /// The name of an enum's case.
  private static func name(of value: Any) -> String {
    let mirror = Mirror(reflecting: value)
    guard mirror.displayStyle == .enum else { return "" }
    return mirror.children.first?.label ?? "\(value)"
  }
}
