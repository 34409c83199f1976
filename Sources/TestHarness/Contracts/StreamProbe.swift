import AsyncSockets

/// One run of one check: two ends, and means to say what is expected of them.
struct StreamProbe: ContractProbe {
  /// The end that is looked at.
  let near: any StreamEnd
  let far: any StreamEnd
  let setup: StreamSetup
  let time: VerifierTime
  let trail: Trail
  /// What the loop held before.
  let before: EventLoop.Census
  let makeProbe: @Sendable () async throws -> StreamProbe

  /// Checks the same on another pair, which is gone afterwards.
  func again(_ body: (StreamProbe) async throws -> Void) async throws {
    let probe = try await makeProbe()
    defer { probe.discard() }
    try await body(probe)
  }

  func discard() {
    near.abort()
    far.abort()
  }

  func expectReason(_ end: any StreamEnd, _ expected: CloseReason?) throws(Mismatch) {
    let got = end.closeReason
    try expect(
      got == expected, "close reason: \(expected.map { "\($0)" } ?? "none")", got.map { "\($0)" } ?? "none")
  }

  // MARK: Reading

  func read(_ count: Int, from end: any StreamEnd, _ what: String) async throws -> [UInt8] {
    var received: [UInt8] = []
    while received.count < count {
      trail.note("\(what): \(received.count) of \(count) bytes have come")
      guard let chunk = try await end.read(atMost: count - received.count, deadline: .never) else {
        throw Mismatch(expected: "\(what): \(count) bytes", got: "the end after \(received.count)")
      }
      received += chunk
    }
    return received
  }

  func readToEnd(_ end: any StreamEnd, _ what: String) async throws -> [UInt8] {
    var received: [UInt8] = []
    trail.note("\(what): the first bytes")
    while let chunk = try await end.read() {
      received += chunk
      trail.note("\(what): the end, after \(received.count) bytes")
    }
    return received
  }

  /// Starts an operation, lets it come to its wait, does something meanwhile, and answers what comes of it.
  func outcome<Value: Sendable>(
    _ what: String, waitingIn wait: Connection.Wait, of end: any StreamEnd, isCancelled: Bool = false,
    _ operation: @escaping @Sendable () async throws -> Value,
    meanwhile: () async throws -> Void = {}
  ) async throws -> Result<Value, any Error> {
    let waiting = end.waits.count { $0 == wait }
    let attempt = Attempt<Value>()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await attempt.run(operation) }
      try await until("\(what) waits") { attempt.isDone || end.waits.count { $0 == wait } > waiting }
      try await meanwhile()
      if isCancelled { group.cancelAll() }
      trail.note("\(what), which waits")
      try await group.waitForAll()
      return try attempt.outcome()
    }
  }
}
