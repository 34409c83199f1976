/// Looks for an order of requests that explains all replies: each request takes effect at one moment between its beginning
/// and its reply. One without a reply takes effect at any later moment, or never. Pure.
///
/// It tries orders depth first (Wing and Gong, "Testing and verifying concurrent objects", 1993), and none twice that
/// leads to the same state by the same requests (Lowe, "Testing for linearizability", 2017).
struct LinearizationSearch<Request, Reply: Equatable, State: Hashable> {
  struct Operation {
    let request: Request
    /// `nil` where there was none.
    let reply: Reply?
    /// When it began, in any unit.
    let begin: Int
    /// When the reply came.
    let end: Int?
  }

  enum Verdict {
    case possible
    case impossible
    /// It has taken too many steps.
    case undecided
  }

  private struct Place: Hashable {
    /// Words of which every bit is set, and which are left out.
    let finished: Int
    let taken: ArraySlice<UInt64>
    let state: State
  }

  private struct Choice {
    let operation: Int
    let stateBefore: State
    /// What else could have been chosen.
    let others: [Int]
  }

  /// In the order in which they began.
  private let operations: [Operation]
  private let apply: (inout State, Request) -> Reply
  private var state: State
  /// A bit for each operation.
  private var taken: [UInt64]
  /// How many words of it, from the first on, have every bit set.
  private var finished = 0
  private(set) var steps = 0

  init(_ operations: [Operation], from state: State, _ apply: @escaping (inout State, Request) -> Reply) {
    self.operations = operations
    self.state = state
    self.apply = apply
    taken = [UInt64](repeating: 0, count: (operations.count + 63) / 64)
  }

  /// - Parameter limit: how many requests to apply at most.
  mutating func run(limit: Int) -> Verdict {
    var unexplained = operations.count { $0.reply != nil }
    var choices: [Choice] = []
    var visited: Set<Place> = []
    var candidates = candidates()
    while unexplained > 0 {
      guard let next = candidates.popLast() else {
        guard let last = choices.popLast() else { return .impossible }
        toggle(last.operation)
        state = last.stateBefore
        candidates = last.others
        if operations[last.operation].reply != nil { unexplained += 1 }
        continue
      }
      if steps == limit { return .undecided }
      steps += 1
      let operation = operations[next]
      var after = state
      let reply = apply(&after, operation.request)
      if let known = operation.reply {
        if reply != known { continue }
      } else if after == state {
        // Nobody can tell whether it took effect.
        continue
      }
      toggle(next)
      guard visited.insert(place(after)).inserted else {
        toggle(next)
        continue
      }
      choices.append(Choice(operation: next, stateBefore: state, others: candidates))
      state = after
      if operation.reply != nil { unexplained -= 1 }
      candidates = self.candidates()
    }
    return .possible
  }

  /// What can take effect next: what has begun before anything else that is left had its reply. The most likely last.
  private func candidates() -> [Int] {
    var answered: [Int] = []
    var unanswered: [Int] = []
    var horizon = Int.max
    for index in operations.indices[(finished * 64)...] where !isTaken(index) {
      let operation = operations[index]
      if operation.begin > horizon { break }
      if let end = operation.end {
        horizon = min(horizon, end)
        answered.append(index)
      } else {
        unanswered.append(index)
      }
    }
    return unanswered + answered.reversed()
  }

  private func isTaken(_ index: Int) -> Bool { taken[index / 64] >> (index % 64) & 1 == 1 }

  private mutating func toggle(_ index: Int) {
    taken[index / 64] ^= 1 << (index % 64)
    finished = min(finished, index / 64)
    while finished < operations.count / 64, taken[finished] == .max { finished += 1 }
  }

  /// Without what all orders have in common: what is done, and what is far from beginning.
  private func place(_ state: State) -> Place {
    let end = taken[finished...].lastIndex { $0 != 0 }.map { $0 + 1 } ?? finished
    return Place(finished: finished, taken: ArraySlice(Array(taken[finished..<end])), state: state)
  }
}
