import AsyncSockets
import Framing

/// What must hold for a codec whatever reads it is given; each property answers what is wrong with those at hand.
struct CodecProperties<F: Framing> where F.Decoder.Frame: Equatable {
  typealias Frame = F.Decoder.Frame
  typealias Outcome = CodecOutcome<Frame>

  let framing: F
  /// Brings frames that depend on the reads into a form that does not.
  let joined: ([Frame]) -> [Frame]

  func outcome(of run: CodecRun<F>) -> Outcome {
    Outcome(
      frames: joined(run.frames), pending: run.buffer.pending, error: run.error, isEndless: run.isEndless)
  }

  /// What comes of the reads, and after them of the end.
  func outcomes(of reads: [[UInt8]], from start: CodecRun<F>? = nil) -> (open: Outcome, ended: Outcome) {
    var run = start ?? CodecRun(framing)
    for read in reads { run.read(read) }
    let open = outcome(of: run)
    run.end()
    return (open, outcome(of: run))
  }

  // MARK: - The same however it is cut

  func dependsOnReads(_ reads: [[UInt8]]) -> CodecProblem? {
    differ(outcomes(of: [Array(reads.joined())]), outcomes(of: reads), label: "at once ")
  }

  func copiesInterfere(_ reads: [[UInt8]]) -> CodecProblem? {
    var original = CodecRun(framing)
    original.read(reads.first ?? [])
    let copy = original
    let rest = Array(reads.dropFirst())
    return differ(outcomes(of: rest, from: original), outcomes(of: rest, from: copy))
  }

  func failsInTakeover(_ reads: [[UInt8]]) -> CodecProblem? {
    let before = [UInt8](repeating: 0x2E, count: 7)
    var run = CodecRun(framing)
    run.buffer = ReceiveBuffer(before + (reads.first ?? []))
    run.buffer.consume(before.count)
    run.askAgain()
    var expected = outcomes(of: reads)
    expected.open.error = expected.open.error?.moved(by: UInt64(before.count))
    expected.ended.error = expected.ended.error?.moved(by: UInt64(before.count))
    return differ(expected, outcomes(of: Array(reads.dropFirst()), from: run))
  }

  func differ(
    _ expected: (open: Outcome, ended: Outcome), _ got: (open: Outcome, ended: Outcome),
    label: String = "expected"
  ) -> CodecProblem? {
    if expected.ended.isEndless || got.ended.isEndless { return nil }
    if expected.open != got.open {
      return CodecProblem(label: label, expected: "\(expected.open)", got: "\(got.open)")
    }
    if expected.ended == got.ended { return nil }
    return CodecProblem(
      label: label, expected: "after the end \(expected.ended)", got: "after the end \(got.ended)")
  }

  // MARK: - Ends

  func givesFramesForEver(_ reads: [[UInt8]]) -> CodecProblem? {
    var run = CodecRun(framing)
    for read in reads { run.read(read) }
    let isByDecode = run.isEndless
    if !isByDecode { run.end() }
    guard run.isEndless, let last = run.frames.last else { return nil }
    let offset = run.buffer.offset
    _ = try? isByDecode ? run.decoder.decode(&run.buffer) : run.decoder.finish(&run.buffer)
    let size = reads.reduce(0) { $0 + $1.count }
    return CodecProblem(
      expected: "an end of frames, for \(size.of("byte"))",
      got: "\(run.frames.count) frames and counting: \(isByDecode ? "decode" : "finish") gives "
        + "\(describe(last)), and "
        + (run.buffer.offset == offset ? "takes no bytes" : "there is always one more"))
  }

  func losesTheEnd(_ reads: [[UInt8]]) -> CodecProblem? {
    let size = reads.reduce(0) { $0 + $1.count }
    let ended = outcomes(of: reads).ended
    if ended.isEndless { return nil }
    if case .truncated(let held, let offset) = ended.error, offset + UInt64(held) != UInt64(size) {
      return CodecProblem(
        expected: ".truncated with offset + held = \(size), where the stream ends", got: "\(ended)")
    }
    guard ended.error == nil, !ended.pending.isEmpty else { return nil }
    return CodecProblem(expected: "nothing left once finish has returned nil, or an error", got: "\(ended)")
  }

  func misjudgesMidFrame(_ reads: [[UInt8]]) -> CodecProblem? {
    var run = CodecRun(framing)
    for read in reads { run.read(read) }
    guard !run.isOver else { return nil }
    let isMidFrame = run.decoder.isMidFrame(run.buffer)
    let count = run.frames.count
    run.end()
    if run.isEndless { return nil }
    let brought = run.frames.count > count || run.isOver
    if isMidFrame, !brought, run.decoder.isMidFrame(run.buffer) {
      return CodecProblem(
        expected: "a frame or an error of finish, or isMidFrame false after it, since it was true before",
        got: "\(outcome(of: run))")
    }
    guard !isMidFrame, brought else { return nil }
    return CodecProblem(
      expected: "no frame or error of finish, since isMidFrame was false", got: "\(outcome(of: run))")
  }

  func goesOnAfterTheEnd(_ reads: [[UInt8]]) -> CodecProblem? {
    var run = CodecRun(framing)
    for read in reads { run.read(read) }
    run.end()
    guard !run.isOver else { return nil }
    let ended = outcome(of: run)
    run.askAgain()
    run.end()
    let after = outcome(of: run)
    return after == ended ? nil : CodecProblem(expected: "\(ended), whenever asked", got: "\(after)")
  }

  // MARK: - Nothing comes of nothing

  func makesSomethingOfNothing(_ reads: [[UInt8]]) -> CodecProblem? {
    var run = CodecRun(framing)
    for read in reads {
      run.read(read)
      guard !run.isOver else { return nil }
      if let problem = changes(&run, { $0.askAgain() }) { return problem }
    }
    guard reads.isEmpty else { return nil }
    return changes(&run) { $0.askAgain() } ?? changes(&run) { $0.end() }
  }

  private func changes(_ run: inout CodecRun<F>, _ ask: (inout CodecRun<F>) -> Void) -> CodecProblem? {
    let before = outcome(of: run)
    ask(&run)
    let after = outcome(of: run)
    return after == before ? nil : CodecProblem(expected: "\(before), asked again", got: "\(after)")
  }

  func recovers(_ reads: [[UInt8]]) -> CodecProblem? {
    var run = CodecRun(framing)
    for read in reads { run.read(read) }
    run.end()
    guard let error = run.error else { return nil }
    let offset = run.buffer.offset
    for attempt in 0..<4 {
      do throws(FramingError) {
        let isEnd = attempt == 1
        let frame = isEnd ? try run.decoder.finish(&run.buffer) : try run.decoder.decode(&run.buffer)
        return CodecProblem(
          expected: "\(error), again",
          got: "\(frame.map(describe) ?? "nil") of \(isEnd ? "finish" : "decode")")
      } catch let again {
        if again != error { return CodecProblem(expected: "\(error), again", got: "\(again)") }
      }
      if run.buffer.offset != offset {
        return CodecProblem(
          expected: "nothing consumed after \(error)", got: "\(run.buffer.offset - offset) bytes")
      }
      run.buffer.append(contentsOf: Array(reads.joined()))
    }
    return nil
  }
}

extension FramingError {
  /// The same, further on in a stream.
  fileprivate func moved(by distance: UInt64) -> FramingError {
    switch self {
    case .tooLong(let limit, let seen, let offset):
      .tooLong(limit: limit, seen: seen, offset: offset + distance)
    case .invalidUTF8(let offset): .invalidUTF8(offset: offset + distance)
    case .truncated(let held, let offset): .truncated(held: held, offset: offset + distance)
    case .malformed(let problem, let offset): .malformed(problem, offset: offset + distance)
    case .invalidConfiguration, .unencodable: self
    }
  }
}
