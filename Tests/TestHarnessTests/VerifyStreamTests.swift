import AsyncSockets
import Glibc
import TestHarness
import Testing

@Suite("verifyStream passes", .timeLimit(.minutes(4)))
struct VerifyStreamTests {
  private static let isSlow = unsafe getenv("ASYNCSOCKETS_SLOW").map { unsafe String(cString: $0) } == "1"

  @Test("over a transport in memory")
  func memory() async throws {
    try await verifyStream { loop in try MemoryTransport.connectedPair(on: loop) }
  }

  @Test("over a transport in memory that holds 100 bytes")
  func tiny() async throws {
    let marks = try Watermarks(high: 200, low: 100)
    var options = ConnectionOptions()
    options.watermarks = marks
    try await verifyStream(watermarks: marks) { [options] loop in
      try MemoryTransport.connectedPair(on: loop, capacity: 100, options: options)
    }
  }

  @Test("over a transport in memory with faults", arguments: 0..<(isSlow ? 300 : 50))
  func faulty(seed: Int) async throws {
    var verifier = StreamVerifier()
    let marks = try Watermarks(high: 2000, low: 1000)
    verifier.setup.watermarks = marks
    verifier.setup.bulk = 8000
    if !Self.isSlow {
      verifier.ends = [seed % 2 == 0]
      verifier.places = [seed / 2 % 2 == 0]
      let third = StreamCheck.allCases.enumerated().filter { $0.offset % 3 == seed % 3 }
      verifier.checks = Set(third.map(\.element))
    }
    var options = ConnectionOptions()
    options.watermarks = marks
    try await verifier.verify { [options] loop in
      let (first, second) = try MemoryTransport.connectedPair(
        on: loop, capacity: 500, faults: TransportFaults(seed: UInt64(seed)), options: options)
      return (first, second)
    }
  }

  @Test("on a loop of the caller's")
  func onLoop() async throws {
    let clock = ManualClock()
    let loop = try EventLoop(clock: clock)
    // Time stands still, so only what needs none of it can be checked, and nothing is late.
    try await verifyStream(on: loop, checks: [.conversation, .secondReader, .resetLasts, .wholeStream]) {
      loop in
      try MemoryTransport.connectedPair(on: loop)
    }
    #expect(loop.census.registrations == 0)
    await loop.shutdown()
  }

  @Test("a limit that runs out in the middle of a check is a finding", arguments: [100, 300, 1000, 3000])
  func limits(microseconds: Int) async throws {
    do {
      try await verifyStream(limit: .microseconds(microseconds)) { try MemoryTransport.connectedPair(on: $0) }
    } catch let failure as StreamFailure {
      #expect(failure.findings.allSatisfy { $0.expected.hasPrefix("an end within") }, "\(failure)")
    }
  }

  @Test("what cannot work is told as it is")
  func badPair() async throws {
    do {
      try await verifyStream(checks: [.chunks]) { loop in
        try MemoryTransport.connectedPair(on: loop, capacity: 0)
      }
      Issue.record("nothing was found")
    } catch let failure as StreamFailure {
      #expect(
        failure.description == """
          stream: making what is to be checked threw: invalid argument: a transport in memory holds at least 1 byte, \
          not 0 (for chunks, on the loop, at the first end)
          """)
    }
  }

  @Test("a pair that cannot be made is told once, and without advice")
  func noPair() async throws {
    struct Mine: Error {}
    let failure = await #expect(throws: StreamFailure.self) { try await verifyStream { _ in throw Mine() } }
    #expect(
      failure?.description == """
        stream: making what is to be checked threw: Mine() (for pullDriven, on the loop, at the first end)
        not run after that: 38 checks
        """)
  }

  @Test("a pair that is never made, whoever cancels, is a finding, and the last", arguments: [true, false])
  func deafPair(isOnLoop: Bool) async throws {
    let released = Latch()
    defer { released.open() }
    let loop = try EventLoopGroup.shared.loops[0]
    var verifier = StreamVerifier()
    verifier.limit = .milliseconds(20)
    verifier.places = [isOnLoop]
    let failure = await #expect(throws: StreamFailure.self) {
      try await Grace.$current.withValue(.milliseconds(20)) { [verifier] in
        try await verifier.verify { loopOfChecks in
          _ = await released.wait(on: loop, isCancellable: false)
          return try MemoryTransport.connectedPair(on: loopOfChecks)
        }
      }
    }
    let finding = try #require(failure?.findings.first)
    #expect(failure?.findings.count == 1)
    #expect(finding.ranOutOfTime)
    #expect(finding.got.hasPrefix("none; it stood at: making the pair, did not end within"))
    #expect(failure?.notRun.count == StreamCheck.allCases.count - 1)
    #expect("\(try #require(failure))".contains("not run, since one ignores its cancellation: "))
  }
}
