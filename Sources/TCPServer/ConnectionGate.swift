/// How many connections there are and whether another may come. Pure.
struct ConnectionGate {
  let limit: Int
  private(set) var count = 0

  var hasRoom: Bool { count < limit }

  init(limit: Int) { self.limit = limit }

  mutating func enter() -> Bool {
    guard hasRoom else { return false }
    count += 1
    return true
  }

  mutating func leave() { count -= 1 }
}
