import AsyncSockets

/// The connections of a pool, by what is going on with them. Pure.
struct PoolMembers {
  /// Stands for one connection, from the decision to make it to the end of its close.
  struct ID: Hashable, Comparable {
    let number: UInt64
    static func < (left: Self, right: Self) -> Bool { left.number < right.number }
  }

  enum Place { case connecting, checking, idle, lent, closing }

  struct Entry {
    fileprivate(set) var place: Place
    var born: EventLoop.Instant
    /// When it was last used, or has come.
    var idleSince: EventLoop.Instant
    /// It has served somebody, or passed a check.
    var isProven = false
  }

  private var entries: [ID: Entry] = [:]
  private(set) var counts = PoolSnapshot.Counts()
  /// Those that have idled longest come first.
  private(set) var idle: [ID] = []

  var count: Int { entries.count }

  /// `nil` for one that is gone; setting changes one that is there.
  subscript(id: ID) -> Entry? { entries[id] }

  /// The members in some places, the oldest first.
  func all(in places: Set<Place>) -> [ID] {
    entries.filter { places.contains($0.value.place) }.keys.sorted()
  }

  mutating func add(_ id: ID, at now: EventLoop.Instant) {
    entries[id] = Entry(place: .connecting, born: now, idleSince: now)
    counts[.connecting] += 1
  }

  mutating func change(_ id: ID, _ body: (inout Entry) -> Void) {
    guard var entry = entries[id] else { return }
    body(&entry)
    entries[id] = entry
  }

  mutating func move(_ id: ID, to place: Place) {
    guard let old = entries[id]?.place else { return }
    leave(old, id)
    entries[id]?.place = place
    counts[place] += 1
    if place == .idle { idle.insert(id, at: placeInLine(of: id)) }
  }

  private func placeInLine(of id: ID) -> Int {
    guard let since = entries[id]?.idleSince else { return idle.endIndex }
    let before = idle.lastIndex { entries[$0].map { $0.idleSince <= since } ?? true }
    return before.map { $0 + 1 } ?? idle.startIndex
  }

  mutating func remove(_ id: ID) {
    if let entry = entries.removeValue(forKey: id) { leave(entry.place, id) }
  }

  private mutating func leave(_ place: Place, _ id: ID) {
    counts[place] -= 1
    guard place == .idle else { return }
    // Mostly the one that was used last.
    if idle.last == id { idle.removeLast() } else { idle.removeAll { $0 == id } }
  }
}

extension PoolSnapshot.Counts {
  fileprivate subscript(place: PoolMembers.Place) -> Int {
    get {
      switch place {
      case .connecting: connecting
      case .checking: checking
      case .idle: idle
      case .lent: lent
      case .closing: closing
      }
    }
    set {
      switch place {
      case .connecting: connecting = newValue
      case .checking: checking = newValue
      case .idle: idle = newValue
      case .lent: lent = newValue
      case .closing: closing = newValue
      }
    }
  }
}
