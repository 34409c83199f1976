import Framing

// What a codec does with the bytes, one by one.
extension CodecProperties {
  /// Looks at what decode consumed between two frames. It is no part of the second if that comes out the same without
  /// these bytes, or with others in their place.
  func takesTooMuch(_ reads: [[UInt8]]) -> CodecProblem? {
    let stream = Array(reads.joined())
    var run = CodecRun(framing)
    var last = run
    for index in 0...stream.count {
      let frames = run.frames.count
      let taken = Int(last.buffer.offset)..<Int(run.buffer.offset)
      if index < stream.count { run.read([stream[index]]) } else { run.end() }
      guard run.frames.count > frames || run.isOver || index == stream.count else { continue }
      let next = run.frames.count > frames ? run.frames[frames] : nil
      if !taken.isEmpty, !isNoise(taken, in: stream, after: last, before: next) {
        return CodecProblem(
          expected: next.map { "\(describe($0)), whatever was consumed before it while decode returned nil" }
            ?? "no frame, whatever was consumed while decode returned nil",
          got: "something else without \(HexText(stream[taken]))")
      }
      if run.isOver { break }
      last = run
    }
    return nil
  }

  private func isNoise(
    _ taken: Range<Int>, in stream: [UInt8], after last: CodecRun<F>, before next: Frame?
  ) -> Bool {
    let rest = stream[taken.upperBound...]
    let others = stream[taken].map { $0 ^ 1 }
    return [Array(rest), others + rest].contains { bytes in
      var run = last
      // As long as all that came before, so that offsets are the same.
      run.buffer = ReceiveBuffer([UInt8](repeating: 0, count: taken.lowerBound))
      run.buffer.consume(taken.lowerBound)
      let count = run.frames.count
      for byte in bytes where run.frames.count == count && !run.isOver { run.read([byte]) }
      if run.frames.count == count { run.end() }
      return (run.frames.count > count ? run.frames[count] : nil) == next
    }
  }

  /// Repeats a byte until eight times the limit has come, and then as often again.
  func growsWithoutEnd(after stream: [UInt8], repeating byte: UInt8, _ limit: Int) -> CodecProblem? {
    var run = CodecRun(framing)
    run.read(stream)
    let count = run.frames.count
    let rounds = 4
    let read = [UInt8](repeating: byte, count: 2 * limit + 256)
    var held = 0
    for round in 1...(2 * rounds) {
      guard run.frames.count == count, !run.isOver else { return nil }
      run.read(read)
      if round == rounds { held = run.buffer.count }
    }
    guard run.frames.count == count, !run.isOver, run.buffer.count > held else { return nil }
    let repeated = HexText([byte]).hex
    return CodecProblem(
      expected: "no more held than \(held) bytes once \(rounds * read.count) times \(repeated) have come",
      got: "\(run.buffer.count) held after \(2 * rounds * read.count), with neither a frame nor an error")
  }

  /// How much a codec may look at: each byte twice to search and once to take it, and a header in each call.
  private static var looksPerByte: Int { 3 }
  private static var looksPerCall: Int { 16 }

  func looksTooOften(_ reads: [[UInt8]]) -> CodecProblem? {
    #if DEBUG
      let counter = LookCounter()
      var run = CodecRun(framing)
      run.buffer.lookCounter = counter
      var received = 0
      for read in reads where !run.isOver {
        run.read(read)
        received += read.count
      }
      if !run.isOver { run.end() }
      let most = Self.looksPerByte * received + Self.looksPerCall * run.calls
      let count = counter.count
      guard count > most else { return nil }
      return CodecProblem(
        expected: "at most \(most) looks at \(received) bytes in \(run.calls) calls "
          + "(\(Self.looksPerByte) for each byte and \(Self.looksPerCall) for each call)",
        got: "\(count)")
    #else
      return nil
    #endif
  }
}
