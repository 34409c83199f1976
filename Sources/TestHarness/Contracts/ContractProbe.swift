import AsyncSockets

/// One run of one check, and means to say what is expected.
protocol ContractProbe: Sendable {
  var time: VerifierTime { get }
  var trail: Trail { get }
}

extension ContractProbe {
  func expect(
    _ isTrue: Bool, _ expected: @autoclosure () -> String, _ got: @autoclosure () -> String
  ) throws(Mismatch) {
    if !isTrue { throw Mismatch(expected: expected(), got: got()) }
  }

  func expectEqual(_ got: [UInt8], _ expected: [UInt8], _ what: String) throws(Mismatch) {
    if got == expected { return }
    let place =
      zip(got, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(got.count, expected.count)
    throw Mismatch(
      expected:
        "\(what): \(expected.count) bytes, from byte \(place) on \(HexText(expected[place...].prefix(16)))",
      got: "\(got.count) bytes, from there on \(HexText(got[place...].prefix(16)))")
  }

  /// Expects an error, and answers it.
  func expectFailure<Value>(
    _ what: String, _ expected: String, _ isExpected: (any Error) -> Bool, of body: () async throws -> Value
  ) async throws {
    trail.note(what)
    let got: String
    do {
      got = "\(try await body())"
    } catch {
      if isExpected(error) { return }
      got = "\(error)"
    }
    throw Mismatch(expected: "\(what): \(expected)", got: got)
  }

  func expectClosed<Value>(_ what: String, of body: () async throws -> Value) async throws {
    try await expectFailure(what, "SocketError.closed", { $0 as? SocketError == .closed }, of: body)
  }

  func expectReset<Value>(_ what: String, of body: () async throws -> Value) async throws {
    try await expectFailure(what, "SocketError.reset", { ($0 as? SocketError)?.isReset == true }, of: body)
  }

  func until(_ what: String, _ isMet: @Sendable () -> Bool) async throws {
    trail.note("waiting until \(what)")
    try await time.until(isMet)
  }
}

extension SocketError {
  var isReset: Bool { if case .reset = self { true } else { false } }
  var isTimedOut: Bool { if case .timedOut = self { true } else { false } }
  var isBusy: Bool { if case .busy = self { true } else { false } }
}
