/// How many connections there are and whether another may come. Pure.
struct ConnectionGate {
  /// The most at once; `nil` for any number. Lowered below the count it lets nobody in until enough have left.
  var limit: Int?
  private(set) var count = 0

  var hasRoom: Bool { limit.map { count < $0 } ?? true }

  init(limit: Int?) { self.limit = limit }

  mutating func enter() -> Bool {
    guard hasRoom else { return false }
    count += 1
    return true
  }

  mutating func leave() { count -= 1 }
}
