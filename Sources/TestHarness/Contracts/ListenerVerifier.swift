import AsyncSockets

/// Runs the checks, each over a listener of its own.
package struct ListenerVerifier: Sendable {
  package typealias Door = (any ListenerEnd, connect: @Sendable () async throws -> Connection)

  package var checks = Set<ListenerCheck>.all
  /// How long a check may take.
  package var limit = Duration.seconds(60)

  package init() {}

  /// - Parameter loop: by default one of its own.
  package func verify(
    on loop: EventLoop? = nil, _ open: @escaping @Sendable (EventLoop) async throws -> Door
  ) async throws {
    let time = try VerifierTime(loop)
    do {
      try await verify(time, open)
    } catch let failure as ListenerFailure where failure.findings.contains(where: \.wasLeftBehind) {
      // Who was left behind may hold the loop's thread.
      throw failure
    } catch {
      await time.shutDown()
      throw error
    }
    await time.shutDown()
  }

  private func verify(
    _ time: VerifierTime, _ open: @escaping @Sendable (EventLoop) async throws -> Door
  ) async throws {
    let runner = ContractRunner<ListenerCheck>(time: time, limit: limit)
    let able = ListenerCheck.allCases.filter(checks.contains)
    try await runner.run(able, of: "listener") { check in
      for isOnLoop in [true, false] {
        let finding = try await runner.finding(of: check, isOnLoop: isOnLoop, setting: "") { trail in
          let before = time.loop.census
          let (listener, connect) = try await NothingMade.wrapping { try await open(time.loop) }
          defer { listener.close() }
          try await ListenerProbe(
            listener: listener, connect: connect, time: time, trail: trail, before: before
          ).run(check)
        }
        if let finding { return finding }
      }
      return nil
    }
  }
}

extension ListenerProbe {
  fileprivate func run(_ check: ListenerCheck) async throws {
    switch check {
    case .backlog: try await backlog()
    case .waits: try await waits()
    case .cancelledAccept: try await cancelledAccept()
    case .cancelledBefore: try await cancelledBefore()
    case .secondAcceptor: try await secondAcceptor()
    case .badOptions: try await badOptions()
    case .closeWakes: try await closeWakes()
    case .acceptAfterClose: try await acceptAfterClose()
    case .closeRefuses: try await closeRefuses()
    case .closeKeepsAccepted: try await closeKeepsAccepted()
    case .closeEndsQueued: try await closeEndsQueued()
    case .nothingLeft: try await nothingLeft()
    }
  }
}
