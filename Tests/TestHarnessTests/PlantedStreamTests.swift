import AsyncSockets
import TestHarness
import Testing

@Suite("verifyStream finds what is planted", .timeLimit(.minutes(4)))
struct PlantedStreamTests {
  private func verifier(_ bug: StreamCheck?, _ checks: Set<StreamCheck>) -> StreamVerifier {
    var verifier = StreamVerifier()
    verifier.checks = checks
    verifier.ends = [false]
    verifier.places = [true]
    if bug == .backPressure { verifier.setup.mostBuffered = 500_000 }
    return verifier
  }

  /// A pair whose first end has the bug.
  @Sendable
  private static func pair(_ bug: StreamCheck, on loop: EventLoop) throws -> StreamVerifier.Pair {
    let (first, second) = MemoryTransport.pair(capacity: bug == .backPressure ? 1_000_000 : 65_536)
    var options = ConnectionOptions()
    let high = options.watermarks.high
    switch bug {
    case .highMark: options.watermarks = try Watermarks(high: 8 * high, low: high / 2)
    case .lowMark: options.watermarks = try Watermarks(high: high, low: high - 1)
    case .writeStall: options.limits.writeStall = nil
    default: break
    }
    let transport = PlantedTransport(over: first, bug: bug)
    let near = try Connection(over: transport, on: loop, options: options)
    let far = try Connection(over: second, on: loop)
    let flag = PlantedStream.Flag()
    return (
      PlantedStream(near, over: transport, bug: bug, peerIsAborted: flag),
      // Passes everything on; its bug is in nobody's way.
      PlantedStream(far, over: second, bug: .upgrade, peerIsAborted: PlantedStream.Flag(peer: flag))
    )
  }

  @Test("each check sees its bug", arguments: StreamCheck.allCases)
  func seen(bug: StreamCheck) async throws {
    var verifier = verifier(bug, [bug])
    // What hangs shows soon; and what is slow is no less wrong.
    verifier.limit = .milliseconds(200)
    do {
      try await verifier.verify { try Self.pair(bug, on: $0) }
      Issue.record("nothing was found")
    } catch let failure as StreamFailure {
      #expect(failure.findings.map(\.check) == [bug], "\(failure)")
    }
  }

  @Test("and no other check does", .thoroughOnly, arguments: StreamCheck.allCases)
  func seenByNoOther(bug: StreamCheck) async throws {
    try await verifier(bug, .all.subtracting([bug])).verify { try Self.pair(bug, on: $0) }
  }

  @Test(
    "a stream that always hangs is given up after three checks, and the others are said not to have been run")
  func alwaysHangs() async throws {
    var verifier = verifier(nil, .all)
    verifier.limit = .milliseconds(50)
    let failure = try #require(
      await #expect(throws: StreamFailure.self) {
        try await verifier.verify { loop in
          let (first, second) = MemoryTransport.pair(capacity: 65_536)
          return (
            try Connection(over: SilentTransport(over: first), on: loop),
            try Connection(over: SilentTransport(over: second), on: loop)
          )
        }
      })
    #expect(failure.findings.count(where: \.ranOutOfTime) == 3)
    #expect(!failure.notRun.isEmpty)
    #expect("\(failure)".contains("not run, since 3 checks had run out of time: "))
  }

  /// Never has anything to read, and never any news.
  private final class SilentTransport: Transport {
    private let lower: any Transport

    init(over lower: any Transport) { self.lower = lower }

    func read(into buffer: inout MutableRawSpan) -> TransportResult { .wouldBlock(.read) }
    func write(_ bytes: RawSpan) -> TransportResult { lower.write(bytes) }
    func shutdownWrite() -> TransportResult { lower.shutdownWrite() }
    func close(abortively: Bool) { lower.close(abortively: abortively) }
    var unreadBytes: Int { 0 }
    func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {}
  }
}
