import AsyncSockets

/// Runs the checks over pairs of streams, each on a pair of its own.
package struct StreamVerifier: Sendable {
  package typealias Pair = (any StreamEnd, any StreamEnd)

  package var setup = StreamSetup()
  package var checks = Set<StreamCheck>.all
  /// How long a check may take.
  package var limit = Duration.seconds(60)
  /// Which end of a pair is looked at.
  package var ends = [false, true]
  /// Whether the checks run on the loop; they do in both ways by default.
  package var places = [true, false]

  package init() {}

  /// - Parameter loop: by default one of its own.
  /// - Throws: `StreamFailure`; `CancellationError`; an error when no loop can be had.
  package func verify(
    on loop: EventLoop? = nil, _ makePair: @escaping @Sendable (EventLoop) async throws -> Pair
  ) async throws {
    let time = try VerifierTime(loop)
    do {
      try await verify(time, makePair)
    } catch let failure as StreamFailure where failure.findings.contains(where: \.wasLeftBehind) {
      // Who was left behind may hold the loop's thread.
      throw failure
    } catch {
      await time.shutDown()
      throw error
    }
    await time.shutDown()
  }

  private func verify(
    _ time: VerifierTime, _ makePair: @escaping @Sendable (EventLoop) async throws -> Pair
  ) async throws {
    let runner = ContractRunner<StreamCheck>(time: time, limit: limit)
    let able = StreamCheck.allCases.filter {
      checks.contains($0) && setup.capabilities.isSuperset(of: $0.needs)
    }
    try await runner.run(able, of: "stream") { try await finding(of: $0, runner, makePair) }
  }

  private func finding(
    of check: StreamCheck, _ runner: ContractRunner<StreamCheck>,
    _ makePair: @escaping @Sendable (EventLoop) async throws -> Pair
  ) async throws -> StreamFailure.Finding? {
    for isSecond in ends {
      for isOnLoop in places {
        let finding = try await runner.finding(
          of: check, isOnLoop: isOnLoop, setting: ", at the \(isSecond ? "second" : "first") end"
        ) { trail in
          for attempt in 1... {
            let probe = try await probe(runner.time, trail, isSecond: isSecond, makePair)
            defer { probe.discard() }
            do {
              try await withTaskCancellationHandler {
                try await probe.run(check)
              } onCancel: {
                // A close does not react to cancellation.
                probe.discard()
              }
              return
            } catch let error as StreamProbe.PressureGaveWay {
              if attempt == 20 { throw error }
            }
          }
        }
        if let finding { return finding }
      }
    }
    return nil
  }

  private func probe(
    _ time: VerifierTime, _ trail: Trail, isSecond: Bool,
    _ makePair: @escaping @Sendable (EventLoop) async throws -> Pair
  ) async throws -> StreamProbe {
    let before = time.loop.census
    let (first, second) = try await NothingMade.wrapping { try await makePair(time.loop) }
    return StreamProbe(
      near: isSecond ? second : first, far: isSecond ? first : second, setup: setup, time: time, trail: trail,
      before: before
    ) {
      try await self.probe(time, trail, isSecond: isSecond, makePair)
    }
  }
}

extension StreamProbe {
  fileprivate func run(_ check: StreamCheck) async throws {
    switch check {
    case .pullDriven: try await pullDriven()
    case .backPressure: try await backPressure()
    case .chunks: try await chunks()
    case .conversation: try await conversation()
    case .wholeStream: try await wholeStream(count: setup.bulk)
    case .cancelledRead: try await cancelledRead()
    case .timedOutRead: try await timedOutRead()
    case .pastDeadline: try await pastDeadline()
    case .secondReader: try await secondReader()
    case .endOfStream: try await endOfStream()
    case .sendAfterEnd: try await sendAfterEnd()
    case .atomicSends: try await atomicSends()
    case .gatheredSends: try await gatheredSends()
    case .turns: try await turns()
    case .cancelledTurn: try await cancelledTurn()
    case .cancelledAcceptance: try await cancelledAcceptance()
    case .highMark: try await highMark()
    case .lowMark: try await lowMark()
    case .flush: try await flush()
    case .writeStall: try await writeStall()
    case .halfClose: try await halfClose()
    case .endFollowsOutput: try await endFollowsOutput()
    case .closeDelivers: try await closeDelivers()
    case .closeWaits: try await closeWaits()
    case .closeLimit: try await closeLimit()
    case .closeDiscards: try await closeDiscards()
    case .closeWakes: try await closeWakes()
    case .closeIdempotent: try await closeIdempotent()
    case .abort: try await abort()
    case .scopeError: try await scopeError()
    case .oneReason: try await oneReason()
    case .drain: try await drain()
    case .resetWakes: try await resetWakes()
    case .resetLasts: try await resetLasts()
    case .resetSeenByWriter: try await resetSeenByWriter()
    case .dataBeforeReset: try await dataBeforeReset()
    case .lostOutput: try await lostOutput()
    case .upgrade: try await upgrade()
    case .nothingLeft: try await nothingLeft()
    }
  }
}
