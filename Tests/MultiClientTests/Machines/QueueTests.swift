import AsyncSockets
import TestSupport
import Testing

@testable import MultiClient

@Suite("Those who wait to begin")
struct QueueTests {
  @Test("come out as they went in, whoever is put back first", arguments: 0..<20 as Range<UInt64>)
  func fifo(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var fifo = Fifo<Int>()
    var model: [Int] = []
    for number in 0..<5000 {
      switch Int.random(in: 0..<5, using: &random) {
      case 0, 1:
        fifo.append(number)
        model.append(number)
      case 2 where number % 7 == 0:
        fifo.prepend(number)
        model.insert(number, at: 0)
      default:
        let first = fifo.popFirst()
        #expect(first == (model.isEmpty ? nil : model.removeFirst()))
      }
      #expect(fifo.count == model.count)
      #expect(fifo.isEmpty == model.isEmpty)
    }
    let rest = fifo.removeAll()
    #expect(rest == model)
    #expect(fifo.isEmpty)
  }

  @Test("others go before those whose host is full, who go in their order when it has room")
  func parking() {
    var queue = TargetQueue<String>()
    for item in ["a1", "a2", "b1", "a3", "b2"] { queue.append(item) }
    var full: Set<Character> = []
    func next() -> String? {
      queue.next { item in item.first.flatMap { full.contains($0) ? String($0) : nil } }
    }
    #expect(next() == "a1")
    full = ["a"]
    #expect(next() == "b1")
    #expect(next() == "b2")
    #expect(next() == nil)
    #expect(queue.count == 2)
    full = []
    #expect(next() == nil, "nobody has told")
    queue.release("a")
    #expect(next() == "a2")
    full = ["a"]
    queue.release("a")
    #expect(next() == nil)
    queue.append("a4")
    #expect(next() == nil)
    full = []
    queue.releaseAll()
    #expect(next() == "a3")
    #expect(next() == "a4")
    #expect(queue.count == 0)
  }

  @Test("no more than 1,024 are kept for the sake of those behind them")
  func bounded() {
    var queue = TargetQueue<Int>()
    var drawn = 0
    while queue.isHungry {
      queue.append(drawn)
      drawn += 1
      let next = queue.next { _ in "full" }
      #expect(next == nil)
    }
    #expect(drawn == TargetQueue<Int>.lookahead)
    let rest = queue.removeAll()
    #expect(rest == Array(0..<drawn))
  }

  @Test("who is put back is the next, however many are kept")
  func putBack() {
    var queue = TargetQueue<Int>()
    for number in 0...TargetQueue<Int>.lookahead { queue.append(number) }
    let none = queue.next { _ in "full" }
    queue.putBack(-1)
    let next = queue.next { $0 < 0 ? nil : "full" }
    #expect(none == nil && next == -1)
  }

  @Test("those who have ended where they wait leave, and hand on their host's turn")
  func ended() {
    var queue = TargetQueue<Int>()
    for number in 0..<3000 { queue.append(number) }
    let none = queue.next { _ in "host" }
    // The turn of those who are about to end.
    for _ in 0..<10 { queue.release("host") }
    #expect(none == nil && queue.count == 3000)
    for last in 0..<2990 { queue.noteEnd { $0 <= last ? "host" : nil } }
    #expect(queue.count < 10 + 32)
    var left: [Int] = []
    while let next = queue.next({ _ in nil }) {
      if next >= 2990 { left.append(next) } else { queue.release("host") }
    }
    #expect(left == Array(2990..<3000))
  }

  @Test("names are looked up once for all who wait, few at a time, and the oldest are forgotten")
  func names() {
    var names = NameTable<Int>(most: 2, capacity: 2, lifetime: .seconds(60))
    let address = SocketAddress.loopback()
    func find(_ name: String, _ waiter: Int) -> NameTable<Int>.Answer {
      names.find(name, for: waiter, .at(0))
    }
    #expect(find("a", 1).isAsk)
    #expect(find("a", 2).isWait)
    #expect(find("b", 3).isAsk)
    #expect(find("c", 4).isWait)
    #expect(find("d", 5).isWait)
    #expect(names.underWay == 2)
    var (waiters, next) = names.answered("a", [address], .at(0))
    #expect(waiters == [1, 2])
    #expect(next == "c")
    #expect(find("a", 6).addresses == [address])
    // A failure is not remembered.
    (waiters, next) = names.answered("b", nil, .at(0))
    #expect(waiters == [3])
    #expect(next == "d")
    #expect(find("b", 7).isWait)
    (waiters, next) = names.answered("c", [address], .at(0))
    #expect(next == "b")
    (waiters, next) = names.answered("d", [address], .at(0))
    #expect(find("a", 8).isAsk, "forgotten for d")
    #expect(find("d", 9).addresses == [address])
  }

  @Test("a look-up that nobody waits for any more is to be cancelled, or never begins")
  func leaving() {
    var names = NameTable<Int>(most: 1, capacity: 2, lifetime: .seconds(60))
    func find(_ name: String, _ waiter: Int) -> NameTable<Int>.Answer {
      names.find(name, for: waiter, .at(0))
    }
    func leave(_ name: String, _ waiter: Int) -> Bool { names.leave(name, waiter) }
    #expect(find("a", 1).isAsk)
    #expect(find("a", 2).isWait)
    #expect(find("b", 3).isWait)
    #expect(find("c", 4).isWait)
    #expect(!leave("a", 1))
    #expect(leave("a", 2))
    #expect(!leave("b", 3))
    #expect(!leave("nobody", 3))
    let (waiters, next) = names.answered("a", nil, .at(0))
    #expect(waiters == [])
    #expect(next == "c")
    let again = names.answered("a", nil, .at(0))
    #expect(again.waiters == [])
  }

  @Test("a name that was looked up is looked up again a minute later, and not before")
  func lifetime() {
    var names = NameTable<Int>(most: 1, capacity: 2, lifetime: .seconds(60))
    let (old, new) = (SocketAddress.loopback(), SocketAddress.loopback6())
    for (name, start, address) in [("a", 0.0, old), ("b", 0, old), ("a", 60, new), ("b", 100, new)] {
      let first = names.find(name, for: 1, .at(start))
      #expect(first.isAsk)
      _ = names.answered(name, [address], .at(start))
      let then = names.find(name, for: 2, .at(start + 59.9))
      #expect(then.addresses == [address])
    }
  }

  @Test("hosts without a port pause, one tries at a time, and hope ends where there never was one")
  func ports() {
    let (a, b) = (SocketAddress.loopback(port: 1), SocketAddress.loopback(port: 2))
    var ports = PortShortages()
    let waited = ports.supply(a)
    #expect(!waited)
    func isWorthWaiting(_ address: SocketAddress, _ seconds: Double) -> Bool {
      ports.isWorthWaiting(for: address, .at(seconds), patience: .seconds(10))
    }
    // Where there was one, for ever.
    #expect(isWorthWaiting(a, 0) && isWorthWaiting(a, 1_000_000))
    #expect(isWorthWaiting(b, 0) && isWorthWaiting(b, 9.9))
    #expect(ports.isShort)
    #expect(!isWorthWaiting(b, 10))
    #expect(!isWorthWaiting(b, 20), "hope does not begin anew with each target")
    let wasShort = (ports.supply(a), ports.supply(b))
    #expect(wasShort == (true, false) && !ports.isShort)
    #expect(isWorthWaiting(b, 30))

    ports.pause("a", .at(0))
    ports.pause("a", .at(0.05))
    ports.pause("b", .at(0.05))
    #expect(ports.isPaused("a") && ports.isPaused("b") && !ports.isPaused("c"))
    #expect(ports.nextDue == .at(0.1))
    let early = ports.popDue(.at(0.09))
    #expect(early == nil)
    let first = ports.popDue(.at(0.1))
    #expect(first == "a" && !ports.isPaused("a"))
    ports.resume("b")
    let second = ports.popDue(.at(0.1))
    #expect(second == nil && ports.nextDue == nil && !ports.hasPaused)
    // Of those who never had one only so many are waited for.
    for port in 100..<1000 as Range<UInt16> { _ = isWorthWaiting(.loopback6(port: port), 0) }
    #expect(isWorthWaiting(.loopback6(port: 100 + UInt16(PortShortages.mostHoped) - 1), 0))
    #expect(!isWorthWaiting(.loopback6(port: 100 + UInt16(PortShortages.mostHoped)), 0))
  }

  @Test("who is released and blocked again keeps the order")
  func releasedInOrder() {
    var queue = TargetQueue<String>()
    for item in ["a1", "a2", "a3"] { queue.append(item) }
    let none = queue.next { _ in "a" }
    queue.releaseAll("a")
    let again = queue.next { _ in "a" }
    #expect(none == nil && again == nil)
    queue.releaseAll("a")
    let first = queue.next { _ in nil }
    queue.park("a1", "a")
    let others = (queue.next { _ in nil }, queue.next { _ in nil })
    #expect(first == "a1" && others == ("a2", "a3") && queue.count == 1)
  }

  @Test("sources take turns, those of the target's family; loopback addresses are as many as needed")
  func sources() throws {
    let own = try ["192.0.2.1", "::1", "192.0.2.2"].map { try SocketAddress(host: $0, port: 0) }
    let target = try SocketAddress("127.0.0.1:7")
    var rotation = SourceRotation(own, usesLoopback: true, ports: 100)
    let turns = (0..<4).map { _ in rotation.next(for: target) }
    #expect(Set(turns) == [own[0], own[2]])
    let only = rotation.next(for: .loopback6(port: 7))
    #expect(only == own[1])
    #expect(rotation.capacity(for: target) == 200)
    var hasGrown = rotation.grow(for: target)
    #expect(!hasGrown)

    var loopback = SourceRotation([], usesLoopback: true, ports: 100)
    let unneeded = loopback.next(for: target)
    #expect(unneeded == nil)
    loopback.expect(90)
    #expect(loopback.loopbacks == 1)
    loopback.expect(91)
    #expect(loopback.loopbacks == 2)
    let hosts = (0..<9).map { _ in loopback.next(for: target)?.host }
    #expect(Set(hosts) == ["127.0.0.1", "127.0.0.2"])
    hasGrown = loopback.grow(for: target)
    #expect(hasGrown)
    #expect(loopback.count(for: target) == 3)
    let elsewhere = loopback.next(for: try SocketAddress("192.0.2.9:7"))
    #expect(elsewhere == nil)
    hasGrown = loopback.grow(for: .loopback6(port: 7))
    #expect(!hasGrown)
    while loopback.grow(for: target) {}
    #expect(loopback.loopbacks == 250)

    var none = SourceRotation([], usesLoopback: false, ports: nil)
    none.expect(1_000_000)
    let nowhere = none.next(for: target)
    #expect(nowhere == nil)
    hasGrown = none.grow(for: target)
    #expect(!hasGrown)
  }

  @Test("the time-out that comes first is the one that is due")
  func timeouts() {
    var marks = Timeouts.Marks(began: .at(10))
    let all = Timeouts(connect: .seconds(4), firstByte: .seconds(3), input: .seconds(5), total: .seconds(20))
    func next() -> (Double, Timeouts.Kind)? {
      all.next(after: marks).map { (Double($0.due.nanoseconds) / 1e9, $0.kind) }
    }
    #expect(next()?.0 == 14 && next()?.1 == .connect)
    (marks.connected, marks.input) = (.at(12), .at(12))
    #expect(next()?.0 == 15 && next()?.1 == .firstByte)
    (marks.hasInput, marks.input) = (true, .at(14))
    #expect(next()?.0 == 19 && next()?.1 == .input)
    marks.input = .at(28)
    #expect(next()?.0 == 30 && next()?.1 == .total)
    #expect(Timeouts(connect: nil).next(after: marks) == nil)
  }

  @Test("an id is its serial number, its place and its client, and nothing else")
  func ids() {
    let id = ConnectionID(serial: 7, client: 2, slot: 0xff_fffe)
    #expect(id.slot == 0xff_fffe && id.client == 2 && "\(id)" == "2#7")
    #expect("\(ConnectionID(serial: 7, client: 0, slot: 3))" == "#7")
    #expect(ConnectionID(rawValue: id.rawValue) == id)
  }
}

extension NameTable.Answer {
  fileprivate var isAsk: Bool { if case .ask = self { true } else { false } }
  fileprivate var isWait: Bool { if case .waits = self { true } else { false } }
  fileprivate var addresses: [SocketAddress]? {
    if case .known(let addresses) = self { addresses } else { nil }
  }
}
