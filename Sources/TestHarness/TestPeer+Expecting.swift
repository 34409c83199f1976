import AsyncSockets
public import Framing

extension TestPeer where F.Decoder.Frame: Equatable {
  /// The next frame must be this one.
  ///
  /// - Parameters:
  ///   - frame: what must come; another frame is consumed.
  ///   - limit: how long to wait; the peer's patience by default.
  /// - Throws: ``ExpectationFailure``; `CancellationError`.
  public func expect(
    _ frame: InboundFrame, within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    let expectation = Expectation(
      core, Self.text(frame), within: limit, at: SourcePlace(file: file, line: line))
    let received = try await expectFrame(expectation)
    if received == frame { return }
    throw expectation.failure(
      "expected \(expectation.what), but \(Self.text(received)) came",
      ByteDifference(expected: Self.bytes(frame), received: Self.bytes(received)))
  }
}

extension TestPeer {
  /// The next frame must satisfy a condition.
  ///
  /// - Parameters:
  ///   - what: the condition in words, for the report.
  ///   - limit: how long to wait; the peer's patience by default.
  ///   - matches: the condition.
  /// - Returns: the frame.
  /// - Throws: as `expect(_:within:file:line:)`.
  @discardableResult
  public func expect(
    _ what: String, within limit: Duration? = nil, file: String = #fileID, line: Int = #line,
    where matches: (InboundFrame) throws -> Bool
  ) async throws -> InboundFrame {
    let expectation = Expectation(
      core, "\"\(what)\"", within: limit, at: SourcePlace(file: file, line: line))
    let received = try await expectFrame(expectation)
    if try matches(received) { return received }
    throw expectation.failure("expected \(expectation.what), but \(Self.text(received)) came")
  }

  /// A frame must come, whatever it is.
  ///
  /// - Returns: the frame.
  /// - Throws: as `expect(_:within:file:line:)`.
  @discardableResult
  public func expectFrame(
    within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws -> InboundFrame {
    try await expectFrame(
      Expectation(core, "a frame", within: limit, at: SourcePlace(file: file, line: line)))
  }

  private func expectFrame(_ expectation: Expectation) async throws -> InboundFrame {
    try await expectation.check { deadline in
      guard let frame = try await next(deadline: deadline) else { throw expectation.ended() }
      return frame
    }
  }

  // MARK: Bytes

  /// The next bytes must be these, whatever reads they come in and whatever follows them.
  ///
  /// - Throws: as `expect(_:within:file:line:)`, at the first byte that differs.
  public func expect(
    bytes: some Sequence<UInt8>, within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    let bytes = Array(bytes)
    let expectation = Expectation(
      core, "the bytes \(EscapedText.brief(bytes))", within: limit, at: SourcePlace(file: file, line: line))
    try await expectation.check { deadline in
      var match = ByteMatch(bytes)
      search: while true {
        switch core.state.withLock({ match.look(at: $0.buffer) }) {
        case .whole: break search
        case .more: guard try await core.receive(deadline: deadline) else { throw expectation.ended() }
        case .differs:
          let came = core.state.withLock { $0.buffer.prefix(min($0.buffer.count, bytes.count)) }
          throw expectation.failure(
            "expected \(expectation.what), but \(EscapedText.brief(came)) came",
            ByteDifference(expected: bytes, received: came))
        }
      }
      core.state.withLock { state in
        state.buffer.consume(bytes.count)
        state.buffer.forgetSearch()
      }
    }
  }

  /// The next bytes must be the UTF-8 of a text.
  public func expect(
    bytes text: String, within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    try await expect(bytes: text.utf8, within: limit, file: file, line: line)
  }

  // MARK: The end

  /// The stream must end, with nothing before that.
  ///
  /// - Throws: as `expect(_:within:file:line:)`.
  public func expectEnd(
    within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    let expectation = Expectation(
      core, "the end of the stream", within: limit, at: SourcePlace(file: file, line: line))
    try await expectation.check { deadline in
      repeat {
        if let came = core.pending {
          throw expectation.failure("expected \(expectation.what), but \(came) came")
        }
      } while try await core.receive(deadline: deadline)
      // A server that stops has ended its input by itself.
      if !core.state.withLock({ $0.hasEnded }) { throw CancellationError() }
    }
  }

  /// The connection must be reset; what comes before that is dropped.
  ///
  /// - Throws: as `expect(_:within:file:line:)`.
  public func expectReset(
    within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    let expectation = Expectation(core, "a reset", within: limit, at: SourcePlace(file: file, line: line))
    try await expectation.check { deadline in
      do {
        while try await core.receive(deadline: deadline) {
          core.state.withLock { state in state.buffer.consume(state.buffer.count) }
        }
      } catch SocketError.reset {
        return
      }
      throw expectation.ended()
    }
  }

  /// Nothing must come for a while: no byte, no end.
  ///
  /// - Parameter duration: how long, by the clock of the event loop; 100 ms by default.
  /// - Throws: as `expect(_:within:file:line:)`, as soon as something comes.
  public func expectSilence(
    for duration: Duration = .milliseconds(100), file: String = #fileID, line: Int = #line
  ) async throws {
    let expectation = Expectation(
      core, "silence for \(duration)", within: duration, at: SourcePlace(file: file, line: line))
    if let came = core.pending { throw expectation.failure("expected \(expectation.what), but \(came) came") }
    do {
      guard try await core.receive(deadline: expectation.deadline) else { throw expectation.ended() }
    } catch SocketError.timedOut {
      return
    } catch let error as SocketError {
      throw try expectation.failure(for: error)
    }
    throw expectation.failure("expected \(expectation.what), but \(core.pending ?? "something") came")
  }

  // MARK: In words

  private static func text(_ frame: InboundFrame) -> String {
    switch frame {
    case let text as String: EscapedText.brief(text.utf8)
    case let bytes as [UInt8]: EscapedText.brief(bytes)
    default: "\(frame)"
    }
  }

  private static func bytes(_ frame: InboundFrame) -> [UInt8] {
    if let bytes = frame as? [UInt8] { return bytes }
    return Array("\(frame)".utf8)
  }
}
