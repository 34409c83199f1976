/// Takes a machine, a value, through every sequence of events up to a length, and collects what is wrong.
///
/// `step` applies one event and answers what is wrong with the outcome, if anything; a sequence that went wrong is not
/// pursued.
struct Exploration<Machine, Event> {
  private(set) var steps = 0
  private(set) var violations: [String] = []
  private let events: [Event]
  private let step: (inout Machine, Event) -> String?

  /// Enough to see what is wrong.
  private static var mostViolations: Int { 5 }

  init(
    from start: Machine, events: [Event], depth: Int, step: @escaping (inout Machine, Event) -> String?
  ) {
    self.events = events
    self.step = step
    var path: [Event] = []
    explore(start, depth, &path)
  }

  private mutating func explore(_ machine: Machine, _ depth: Int, _ path: inout [Event]) {
    guard depth > 0 else { return }
    for event in events {
      guard violations.count < Self.mostViolations else { return }
      var next = machine
      path.append(event)
      steps += 1
      if let violation = step(&next, event) {
        violations.append("\(violation) after \(path)")
      } else {
        explore(next, depth - 1, &path)
      }
      path.removeLast()
    }
  }
}
