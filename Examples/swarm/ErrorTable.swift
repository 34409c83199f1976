/// Errors by class, each with how often it came and how it was the first time.
struct ErrorTable: Equatable, Sendable {
  struct Entry: Equatable, Sendable {
    let kind: String
    var count: Int
    let example: String
  }

  private(set) var entries: [Entry] = []

  var total: Int { entries.reduce(0) { $0 +| $1.count } }

  /// The most frequent first.
  var sorted: [Entry] { entries.sorted { ($1.count, $0.kind) < ($0.count, $1.kind) } }

  /// Counts one; the example is asked for at the first of its class only.
  mutating func count(_ kind: String, times: Int = 1, example: () -> String) {
    if let place = entries.firstIndex(where: { $0.kind == kind }) {
      entries[place].count = entries[place].count +| times
    } else {
      entries.append(Entry(kind: kind, count: times, example: example()))
    }
  }

  mutating func merge(_ other: ErrorTable) {
    for entry in other.entries { count(entry.kind, times: entry.count) { entry.example } }
  }
}
