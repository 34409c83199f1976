import Testing

@testable import AsyncSockets
@testable import TCPServer

@Suite("What a drain writes down")
struct DrainLogTests {
  private func snapshot(
    accepted: UInt64 = 0, written: UInt64 = 0, waits: [Connection.Wait] = [], isClosing: Bool = false,
    isClosed: Bool = false
  ) -> Connection.Snapshot {
    Connection.Snapshot(
      localAddress: nil, peerAddress: .loopback(port: 1), age: .seconds(3), idle: .zero, waits: waits,
      timeLeft: nil,
      counters: Connection.Counters(bytesRead: 0, bytesAccepted: accepted, bytesWritten: written),
      bytesQueued: accepted - written, isClosing: isClosing, isClosed: isClosed, isDraining: true)
  }

  @Test("nothing is kept of connections that end before it")
  func before() {
    var log = DrainLog()
    log.ended(0, snapshot(), reason: .closed)
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    log.ended(1, snapshot(), reason: .drained)
    #expect(
      log.report(at: EventLoop.Instant(nanoseconds: 0), left: []).connections.map(\.reason) == [.drained])
  }

  @Test("the duration is counted from the first beginning")
  func duration() {
    var log = DrainLog()
    log.begin(at: EventLoop.Instant(nanoseconds: 5))
    log.begin(at: EventLoop.Instant(nanoseconds: 500))
    #expect(log.report(at: EventLoop.Instant(nanoseconds: 1005), left: []).duration == .nanoseconds(1000))
  }

  @Test("a connection that closes is not cancelled, but may be aborted")
  func closing() {
    var log = DrainLog()
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    log.cut(0, .cancelled, snapshot(accepted: 10, isClosing: true))
    log.cut(1, .cancelled, snapshot(accepted: 10, isClosing: true))
    log.ended(0, snapshot(accepted: 10, written: 10), reason: .drained)
    log.cut(1, .aborted, snapshot(accepted: 10, waits: [.finish], isClosing: true))
    log.ended(1, snapshot(accepted: 10, written: 4), reason: .aborted)
    let entries = log.report(at: EventLoop.Instant(nanoseconds: 0), left: []).connections
    #expect(entries.map(\.outcome) == [.finished, .aborted])
    #expect(entries.map(\.waits) == [[], [.finish]])
    #expect(entries.map(\.bytesUnsent) == [0, 6])
  }

  @Test("who only waits for the peer's goodbye is not cut")
  func lingering() {
    var log = DrainLog()
    log.cut(0, .aborted, snapshot(waits: [.close], isClosing: true))
    log.cut(1, .cancelled, snapshot(waits: [.read]))
    log.cut(1, .aborted, snapshot(waits: [.close], isClosing: true))
    // Its handler goes on, though.
    log.cut(2, .aborted, snapshot(isClosing: true, isClosed: true))
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    log.ended(0, snapshot(), reason: .drained)
    log.ended(1, snapshot(), reason: .cancelled)
    log.ended(2, snapshot(), reason: .closed)
    let entries = log.report(at: EventLoop.Instant(nanoseconds: 0), left: []).connections
    #expect(entries.map(\.outcome) == [.finished, .cancelled, .aborted])
  }

  @Test(
    "of a connection that was cancelled and then aborted, it says what it was waiting for at the deadline")
  func firstWait() {
    var log = DrainLog()
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    log.cut(0, .cancelled, snapshot(accepted: 10, waits: [.drain]))
    log.cut(0, .aborted, snapshot(accepted: 12, waits: [.finish], isClosing: true))
    log.ended(0, snapshot(accepted: 12), reason: .cancelled)
    let entries = log.report(at: EventLoop.Instant(nanoseconds: 0), left: []).connections
    #expect(entries.map(\.waits) == [[.drain]])
    #expect(entries.map(\.bytesUnsent) == [12])
  }

  @Test("a cancelled handler whose output did not go out in time was aborted")
  func flushRanOut() {
    var log = DrainLog()
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    log.cut(0, .cancelled, snapshot(accepted: 10, written: 2, waits: [.drain]))
    log.ended(0, snapshot(accepted: 10, written: 2), reason: .cancelled)
    let entries = log.report(at: EventLoop.Instant(nanoseconds: 0), left: []).connections
    #expect(entries.map(\.outcome) == [.aborted])
    #expect(entries.map(\.bytesUnsent) == [8])
  }

  @Test("a handler that left by its cancellation was cancelled, whoever knew of it first")
  func cancelledFirst() {
    var log = DrainLog()
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    log.ended(0, snapshot(), reason: .cancelled)
    log.ended(1, snapshot(), reason: .drained)
    let entries = log.report(at: EventLoop.Instant(nanoseconds: 0), left: []).connections
    #expect(entries.map(\.outcome) == [.cancelled, .finished])
  }

  @Test("what a cancelled handler still sends is not counted as lost")
  func sentLater() {
    var log = DrainLog()
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    log.cut(0, .cancelled, snapshot(accepted: 10, written: 0, waits: [.read]))
    log.ended(0, snapshot(accepted: 25, written: 25), reason: .cancelled)
    #expect(log.report(at: EventLoop.Instant(nanoseconds: 0), left: []).connections.map(\.bytesUnsent) == [0])
  }

  @Test("a place that is taken again begins anew")
  func placeTakenAgain() {
    var log = DrainLog()
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    log.cut(0, .aborted, snapshot())
    log.ended(0, snapshot(), reason: .aborted)
    log.ended(0, snapshot(), reason: .drained)
    let entries = log.report(at: EventLoop.Instant(nanoseconds: 0), left: []).connections
    #expect(entries.map(\.outcome) == [.aborted, .finished])
  }

  @Test("the table has at most 50 rows, and says how many are missing")
  func longTable() {
    var log = DrainLog()
    log.begin(at: EventLoop.Instant(nanoseconds: 0))
    for slot in 0..<70 {
      log.cut(slot, .aborted, snapshot(waits: [.read]))
      log.ended(slot, snapshot(), reason: .aborted)
    }
    for slot in 0..<30 { log.ended(slot, snapshot(), reason: .drained) }
    let report = log.report(at: EventLoop.Instant(nanoseconds: 1_000_000_000), left: [])
    let lines = report.description.split(separator: "\n")
    #expect(lines.count == 53)
    #expect(lines[0] == "drained in 1.0 s: 30 finished, 70 aborted")
    #expect(lines[2] == "  127.0.0.1:1  aborted  3.0 s  read       0       aborted by this side")
    #expect(lines[52] == "  and 20 more")
  }
}
