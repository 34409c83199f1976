import AsyncSockets

/// What a check is about to do, so that a hang can be told from outside.
final class Trail: Sendable {
  private let text = Lock("making the pair")
  var last: String { text.withLock { $0 } }
  func note(_ step: String) { text.withLock { $0 = step } }
}

/// Runs one check at a time, on the loop or off it, and gives it up when it does not end.
struct ContractRunner<Check: ContractCheck>: Sendable {
  let time: VerifierTime
  /// How long a check may take.
  let limit: Duration

  /// Runs checks in order, but no more when too many have run out of time.
  func run(
    _ checks: [Check], of subject: String,
    _ look: (Check) async throws -> ContractFailure<Check>.Finding?
  ) async throws {
    var findings: [ContractFailure<Check>.Finding] = []
    var rest = checks[...]
    while let check = rest.first, findings.count(where: \.ranOutOfTime) < ContractFailure<Check>.mostHangs,
      !findings.contains(where: { $0.wasLeftBehind || $0.couldNotBegin })
    {
      rest.removeFirst()
      if let finding = try await look(check) { findings.append(finding) }
    }
    if findings.isEmpty { return }
    throw ContractFailure(
      subject: subject, findings: findings, checkCount: checks.count, notRun: Array(rest))
  }

  /// - Throws: `CancellationError` alone.
  func finding(
    of check: Check, isOnLoop: Bool, setting: String,
    _ body: @escaping @Sendable (Trail) async throws -> Void
  ) async throws -> ContractFailure<Check>.Finding? {
    let trail = Trail()
    func finding(
      _ expected: String, _ got: String, ranOutOfTime: Bool = false, wasLeftBehind: Bool = false,
      couldNotBegin: Bool = false
    ) -> ContractFailure<Check>.Finding {
      ContractFailure<Check>.Finding(
        check: check, setting: (isOnLoop ? "on" : "off") + " the loop" + setting, expected: expected,
        got: got, ranOutOfTime: ranOutOfTime, wasLeftBehind: wasLeftBehind, couldNotBegin: couldNotBegin)
    }
    let result = Attempt<Void>()
    let work = UnjoinedTask(on: isOnLoop ? time.loop : nil) { await result.run { try await body(trail) } }
    let end = await work.end.wait(until: time.watch.now.advanced(by: limit), on: time.watch)
    let last = trail.last
    if await !work.cancel(time.grace) {
      try Task.checkCancellation()
      return finding(
        "an end within \(limit)",
        "none; it stood at: \(last), did not end within \(time.grace.duration) of its cancellation either, and was "
          + "left behind", ranOutOfTime: true, wasLeftBehind: true)
    }
    do {
      try Task.checkCancellation()
      if case .timedOut = end {
        return finding("an end within \(limit)", "none; it stood at: \(last)", ranOutOfTime: true)
      }
      try result.outcome().get()
      return nil
    } catch let mismatch as Mismatch {
      return finding(mismatch.expected, mismatch.got)
    } catch let error as NothingMade {
      try Task.checkCancellation()
      return finding("no error", "\(error.reason)", couldNotBegin: true)
    } catch {
      try Task.checkCancellation()
      return finding("no error", "\(error), at: \(trail.last)")
    }
  }
}
