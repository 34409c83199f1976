import Testing

@testable import AsyncSockets

@Suite("The ready bits of a descriptor")
struct ReadinessTests {
  enum Event: Hashable {
    case news(TransportReadiness)
    case readBlocks(awaiting: TransportReadiness)
    case writeBlocks(awaiting: TransportReadiness)
  }

  private static let socketEvents: [Event] = [
    .news(.read), .news(.write), .news([.final, .read]), .news([.final, .read, .write]),
    .readBlocks(awaiting: .read), .writeBlocks(awaiting: .write),
  ]
  /// Those of a transport that may have to write before it can read, as TLS does.
  private static let crossedEvents: [Event] = [
    .news(.read), .news(.write), .news([.final, .read]),
    .readBlocks(awaiting: .read), .readBlocks(awaiting: .write),
    .writeBlocks(awaiting: .read), .writeBlocks(awaiting: .write),
  ]

  @Test("obey their rules in every sequence of seven events of a socket")
  func everySocketSequence() {
    let exploration = Exploration(
      from: ReadinessModel(), events: Self.socketEvents, depth: 7, step: { $0.step($1) })
    #expect(exploration.violations == [])
    #expect(exploration.steps == (1...7).reduce(0) { sum, length in sum + power(6, length) })
  }

  @Test("obey their rules in every sequence of six events of a transport whose directions are crossed")
  func everyCrossedSequence() {
    let exploration = Exploration(
      from: ReadinessModel(), events: Self.crossedEvents, depth: 6, step: { $0.step($1) })
    #expect(exploration.violations == [])
  }

  @Test("are set at first, so that a call is tried before anybody waits")
  func start() {
    let readiness = Readiness()
    #expect(readiness.canRead)
    #expect(readiness.canWrite)
    #expect(!readiness.isFinal)
  }

  @Test("survive a short read when data and the peer's end have come as one event")
  func dataAndEndInOneEvent() {
    var readiness = Readiness()
    #expect(readiness.readWouldBlock(awaiting: .read) == true)
    readiness.note(TransportReadiness([.readable, .writable, .peerEnded]))
    #expect(readiness.readWouldBlock(awaiting: .read) == false)
    #expect(readiness.canRead)
  }

  @Test(
    "follow from the events of the kernel",
    arguments: [
      ([], []),
      ([.readable], .read),
      ([.writable], .write),
      ([.readable, .writable], [.read, .write]),
      ([.readable, .writable, .peerEnded], [.read, .write, .final]),
      ([.peerEnded], [.read, .final]),
      ([.hangUp], [.read, .write, .final, .hungUp]),
      ([.failed], [.read, .write, .final, .hungUp]),
      ([.urgent], []),
    ] as [(Epoll.Events, TransportReadiness)])
  func kernelEvents(events: Epoll.Events, readiness: TransportReadiness) {
    #expect(TransportReadiness(events) == readiness)
  }

  @Test("tell the end of one direction from that of both, which nothing takes back")
  func hangUp() {
    var readiness = Readiness()
    let steps: [(TransportReadiness, Bool, Bool)] = [
      ([.read, .write], false, false), ([.read, .final], true, false),
      ([.read, .write, .final, .hungUp], true, true), ([.read, .final], true, true),
    ]
    for (news, isFinal, isHungUp) in steps {
      readiness.note(news)
      #expect(readiness.isFinal == isFinal)
      #expect(readiness.isHungUp == isHungUp)
    }
  }

  private func power(_ base: Int, _ exponent: Int) -> Int {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}

/// The ready bits beside what is known of their past.
private struct ReadinessModel {
  var readiness = Readiness()
  var isFinal = false
  var readAwaits: TransportReadiness?
  var writeAwaits: TransportReadiness?

  /// What is wrong after the event.
  mutating func step(_ event: ReadinessTests.Event) -> String? {
    switch event {
    case .news(let news):
      readiness.note(news)
      isFinal = isFinal || news.contains(.final)
      if let awaited = readAwaits, isFinal || news.contains(awaited) { readAwaits = nil }
      if let awaited = writeAwaits, isFinal || news.contains(awaited) { writeAwaits = nil }
    case .readBlocks(let direction):
      let mayWait = readiness.readWouldBlock(awaiting: direction)
      if mayWait == isFinal { return "a read \(mayWait ? "waits though the end is there" : "does not wait")" }
      if !isFinal { readAwaits = direction }
    case .writeBlocks(let direction):
      readiness.writeWouldBlock(awaiting: direction)
      writeAwaits = direction
    }
    if readiness.isFinal != isFinal { return "the news of the end was \(isFinal ? "lost" : "made up")" }
    if isFinal, !readiness.canRead { return "the end cannot be read" }
    if readiness.canRead != (readAwaits == nil) { return "the read bit is \(readiness.canRead)" }
    if readiness.canWrite != (writeAwaits == nil) { return "the write bit is \(readiness.canWrite)" }
    return nil
  }
}
