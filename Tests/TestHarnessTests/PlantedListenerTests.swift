import AsyncSockets
import TestHarness
import Testing

@Suite("verifyListener finds what is planted", .timeLimit(.minutes(4)))
struct PlantedListenerTests {
  @Sendable
  private static func door(_ bug: ListenerCheck, on loop: EventLoop) throws -> ListenerVerifier.Door {
    let listener = try Listener.bind(to: .loopback(), on: loop)
    let planted = PlantedListener(listener, on: loop, bug: bug)
    return (planted, { try await connectToAddress(of: listener, on: loop) })
  }

  @Test("each check of a listener sees its bug", arguments: ListenerCheck.allCases)
  func seen(bug: ListenerCheck) async throws {
    var verifier = ListenerVerifier()
    verifier.checks = [bug]
    // What hangs shows soon; and what is slow is no less wrong.
    verifier.limit = .milliseconds(200)
    do {
      try await verifier.verify { try Self.door(bug, on: $0) }
      Issue.record("nothing was found")
    } catch let failure as ListenerFailure {
      #expect(failure.findings.map(\.check) == [bug], "\(failure)")
    }
  }

  @Test("and no other check of a listener does", arguments: ListenerCheck.allCases)
  func seenByNoOther(bug: ListenerCheck) async throws {
    var verifier = ListenerVerifier()
    verifier.checks.remove(bug)
    try await verifier.verify { try Self.door(bug, on: $0) }
  }
}
