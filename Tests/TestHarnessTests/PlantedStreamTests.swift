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

  @Test("and no other check does", arguments: StreamCheck.allCases)
  func seenByNoOther(bug: StreamCheck) async throws {
    try await verifier(bug, .all.subtracting([bug])).verify { try Self.pair(bug, on: $0) }
  }
}
