import Framing

extension Conversation {
  /// The conversation must be that one.
  ///
  /// - Throws: ``ExpectationFailure`` with both, from the first line that differs.
  public func expect(_ golden: Conversation, file: String = #fileID, line: Int = #line) throws {
    try expect(golden, named: "what was expected", SourcePlace(file: file, line: line))
  }

  /// The conversation must be the one that a file holds, as ``Conversation`` says.
  ///
  /// Where there is no such file, this one is written there, and the test fails once, so that somebody looks at it. With
  /// `ASYNCSOCKETS_RECORD=1` in the process's environment it is written in any case, and nothing fails.
  ///
  /// - Throws: ``ExpectationFailure`` with both, from the first line that differs; or when the file cannot be read or
  ///   written.
  public func expect(goldenFile path: String, file: String = #fileID, line: Int = #line) throws {
    let place = SourcePlace(file: file, line: line)
    let isRecording = TextFile.environmentVariable("ASYNCSOCKETS_RECORD") == "1"
    if !isRecording, let text = TextFile.read(path) {
      return try expect(Conversation(text), named: path, place)
    }
    guard TextFile.write(description, to: path) else {
      throw ExpectationFailure("\(place): cannot write \(path)")
    }
    if isRecording { return }
    throw ExpectationFailure(
      "\(place): there was no \(path); it is there now: look at it, and run the test again")
  }

  private func expect(_ golden: Conversation, named name: String, _ place: SourcePlace) throws {
    if self == golden { return }
    let (expected, came) = (golden.lines, lines)
    let common = zip(expected, came).prefix { $0 == $1 }.count
    var report = ["\(place): the conversation differs from \(name) at line \(common + 1)"]
    report += came[..<common].suffix(3).map { "            " + $0 }
    report += Self.some(expected[common...], "  expected  ") + Self.some(came[common...], "  came      ")
    throw ExpectationFailure(report.joined(separator: "\n"))
  }

  private static func some(_ lines: ArraySlice<String>, _ mark: String) -> [String] {
    if lines.isEmpty { return [mark + "nothing more"] }
    return lines.prefix(5).map { mark + $0 }
      + (lines.count > 5 ? ["\(mark)… \(lines.count - 5) lines more"] : [])
  }
}

extension TestPeer {
  /// Plays this end of a conversation: sends what it sent, and expects what it received.
  ///
  /// - Throws: ``ExpectationFailure``, at the first byte that differs; as `send(_:within:)`.
  public func replay(
    _ conversation: Conversation, file: String = #fileID, line: Int = #line
  ) async throws {
    for step in conversation.steps {
      switch step {
      case .sent(let bytes): try await send(bytes: bytes)
      case .received(let bytes): try await expect(bytes: bytes, file: file, line: line)
      case .finished: try await finishWriting()
      case .ended: try await expectEnd(file: file, line: line)
      case .reset: try await expectReset(file: file, line: line)
      }
    }
  }
}

extension TestServer.Behaviour {
  /// Plays its end of a conversation with each client, as a script does.
  public static func replay(
    _ conversation: Conversation, file: String = #fileID, line: Int = #line
  ) -> Self {
    .script { try await $0.replay(conversation, file: file, line: line) }
  }
}
