/// Makes a plan of faults that leads to a failure smaller for as long as it still does.
///
/// Pure: it says what to try next, and is told what came of it.
struct FaultShrinker {
  private enum Stage {
    /// Whether it takes any fault at all.
    case none
    /// Without so many faults from a place on.
    case dropping(size: Int, start: Int)
    /// With one fault in a simpler form; `attempt` counts those that were tried.
    case simplifying(index: Int, attempt: Int)
    case done
  }

  /// The smallest plan that is known to fail.
  private(set) var plan: [PlannedFault]
  private var stage = Stage.none
  private var candidate: [PlannedFault]?

  init(_ plan: [PlannedFault]) { self.plan = plan }

  /// A plan to try; `nil` when there is none left.
  mutating func next() -> [PlannedFault]? {
    while true {
      switch stage {
      case .none:
        if plan.isEmpty { return nil }
        return propose([])
      case .dropping(let size, let start):
        if size == 0 {
          stage = .simplifying(index: 0, attempt: 0)
        } else if start >= plan.count {
          stage = .dropping(size: size / 2, start: 0)
        } else {
          var smaller = plan
          smaller.removeSubrange(start..<min(start + size, plan.count))
          // All of it and nothing of it have been tried.
          if !smaller.isEmpty { return propose(smaller) }
          stage = .dropping(size: size / 2, start: 0)
        }
      case .simplifying(let index, let attempt):
        guard index < plan.count else {
          stage = .done
          continue
        }
        let simpler = Self.simpler(plan[index])
        guard attempt < simpler.count else {
          stage = .simplifying(index: index + 1, attempt: 0)
          continue
        }
        var smaller = plan
        smaller[index] = simpler[attempt]
        return propose(smaller)
      case .done: return nil
      }
    }
  }

  private mutating func propose(_ plan: [PlannedFault]) -> [PlannedFault] {
    candidate = plan
    return plan
  }

  /// What was proposed last still fails in the same way, or does not.
  mutating func note(fails: Bool) {
    guard let candidate else { return }
    self.candidate = nil
    if fails { plan = candidate }
    switch stage {
    case .none: stage = fails ? .done : .dropping(size: plan.count / 2, start: 0)
    case .dropping(let size, let start):
      stage = .dropping(size: size, start: fails ? start : start + size)
    case .simplifying(let index, let attempt):
      stage = .simplifying(index: index, attempt: fails ? 0 : attempt + 1)
    case .done: break
    }
  }

  /// Shorter, and at a rounder time.
  private static func simpler(_ fault: PlannedFault) -> [PlannedFault] {
    var simpler: [PlannedFault] = []
    let length = fault.length.wholeMilliseconds
    for unit in [1000, 100] as [Int64] {
      for shorter in [length / 8, length / 2] {
        let round = shorter / unit * unit
        if round > 0, round < length {
          simpler.append(PlannedFault(fault.effect, begin: fault.begin, length: .milliseconds(round)))
        }
      }
    }
    let begin = fault.begin.wholeMilliseconds
    for unit in [1000, 100] as [Int64] where begin % unit != 0 {
      simpler.append(
        PlannedFault(fault.effect, begin: .milliseconds(begin / unit * unit), length: fault.length))
    }
    return simpler
  }
}
