import Framing

/// Runs checks over samples, and stops at the first that fails.
struct CodecVerifier<F: Framing> where F.Decoder.Frame: Equatable {
  typealias Frame = F.Decoder.Frame

  let framing: F
  let joined: ([Frame]) -> [Frame]
  let checks: Set<CodecCheck>
  let seed: UInt64

  var name: String { "\(F.self)" }
  var plan: CodecPlan { CodecPlan(seed: seed) }
  var properties: CodecProperties<F> { CodecProperties(framing: framing, joined: joined) }

  func check(_ samples: [CodecSample<Frame>], _ limit: CodecLimit?) throws(CodecFailure) {
    if let limit, limit.accepts.count < limit.limit { throw CodecFailure(shortOf: limit, codec: name) }
    for check in CodecCheck.allCases where checks.contains(check) {
      let property = property(check)
      for sample in samples {
        if check == .expectation { try expect(sample) }
        if let property { try run(check, sample.bytes, property) }
      }
      guard let limit else { continue }
      if check == .limit { try expect(limit) }
      if check == .bounded {
        for sample in samples { try expectBound(on: sample.bytes, limit.limit) }
      }
      // No other stream need have a long frame in it where lengths come first.
      if check == .linearTime, let property { try self.try(check, CodecPlan.bytes(limit.accepts), property) }
    }
  }

  /// What has to hold for any bytes; `nil` for checks of something else.
  private func property(_ check: CodecCheck) -> (([[UInt8]]) -> CodecProblem?)? {
    let properties = properties
    return switch check {
    case .endless: properties.givesFramesForEver
    case .twoReads, .threeReads, .byteByByte, .randomReads, .damage: properties.dependsOnReads
    case .truncation: properties.losesTheEnd
    case .copies: properties.copiesInterfere
    case .leftovers: properties.takesTooMuch
    case .failure: properties.recovers
    case .linearTime: properties.looksTooOften
    case .midFrame: properties.misjudgesMidFrame
    case .nothing: properties.makesSomethingOfNothing
    case .afterEnd: properties.goesOnAfterTheEnd
    case .takeover: properties.failsInTakeover
    case .expectation, .limit, .bounded, .roundTrip, .unencodable, .appending: nil
    }
  }

  private func run(
    _ check: CodecCheck, _ stream: [UInt8], _ property: @escaping ([[UInt8]]) -> CodecProblem?
  ) throws(CodecFailure) {
    // What the stream gives at once need not be found out again for each way of cutting it.
    let properties = properties
    let atOnce = properties.outcomes(of: [stream])
    let cutsAlone: Set<CodecCheck> = [.twoReads, .threeReads, .byteByByte, .randomReads]
    try plan.forEach(check, stream) { reads throws(CodecFailure) in
      if cutsAlone.contains(check), properties.differ(atOnce, properties.outcomes(of: reads)) == nil {
        return
      }
      try self.try(check, reads, property)
    }
  }

  /// Throws the report of the smallest reads that show a problem if these do.
  private func `try`(
    _ check: CodecCheck, _ reads: [[UInt8]], keepingBytes: Bool = false,
    _ property: @escaping ([[UInt8]]) -> CodecProblem?
  ) throws(CodecFailure) {
    guard let problem = property(reads) else { return }
    let smallest = CodecShrinker(reads, problem, keepingBytes: keepingBytes, check: property)
    throw CodecFailure(
      check, codec: name, problem: smallest.problem, reads: smallest.reads,
      shrunkFrom: reads.reduce(0) { $0 + $1.count }, seed: seed)
  }

  // MARK: - What the user knows of the stream

  private func expect(_ sample: CodecSample<Frame>) throws(CodecFailure) {
    let got = properties.outcomes(of: [sample.bytes]).ended
    if got.isEndless { return }
    var expected = got
    if let frames = sample.frames { expected.frames = joined(frames) }
    if sample.frames != nil || sample.error != nil { expected.error = sample.error }
    if expected == got { return }
    throw CodecFailure(
      .expectation, codec: name, problem: CodecProblem(expected: "\(expected)", got: "\(got)"),
      reads: [sample.bytes], shrunkFrom: nil, seed: seed)
  }

  private func expectBound(on stream: [UInt8], _ limit: Int) throws(CodecFailure) {
    for place in plan.places(in: stream) {
      let (before, byte) = (Array(stream[..<place]), stream[place])
      guard let problem = properties.growsWithoutEnd(after: before, repeating: byte, limit) else { continue }
      throw CodecFailure(
        .bounded, codec: name, problem: problem, reads: before.isEmpty ? [[byte]] : [before, [byte]],
        shrunkFrom: nil, seed: seed)
    }
  }

  private func expect(_ limit: CodecLimit) throws(CodecFailure) {
    let properties = properties
    func expectAccepted(_ reads: [[UInt8]]) -> CodecProblem? {
      let ended = properties.outcomes(of: reads).ended
      guard !ended.isEndless, ended.error != nil || ended.frames.isEmpty || !ended.pending.isEmpty else {
        return nil
      }
      return CodecProblem(expected: "frames up to the limit of \(limit.limit), and no error", got: "\(ended)")
    }
    func expectRefused(at offset: Int) -> ([[UInt8]]) -> CodecProblem? {
      { reads in
        let open = properties.outcomes(of: reads).open
        if open.isEndless { return nil }
        if case .tooLong(limit.limit, let seen, UInt64(offset)) = open.error, seen > limit.limit {
          return nil
        }
        return CodecProblem(
          expected:
            "error .tooLong(limit: \(limit.limit), seen: any above \(limit.limit), offset: \(offset))",
          got: "\(open)")
      }
    }
    func expectUndecided(_ reads: [[UInt8]]) -> CodecProblem? {
      let open = properties.outcomes(of: reads).open
      guard open.error != nil else { return nil }
      return CodecProblem(expected: "no error before the byte that makes it certain", got: "\(open)")
    }
    func expectSameError(_ reads: [[UInt8]]) -> CodecProblem? {
      let atOnce = properties.outcomes(of: [Array(reads.joined())]).open.error
      let cut = properties.outcomes(of: reads).open.error
      if atOnce == cut { return nil }
      func describe(_ error: FramingError?) -> String { error.map { "error \($0)" } ?? "no error" }
      return CodecProblem(label: "at once ", expected: describe(atOnce), got: describe(cut))
    }
    func inEveryTwoReads(
      _ stream: [UInt8], _ property: @escaping ([[UInt8]]) -> CodecProblem?
    ) throws(CodecFailure) {
      try self.try(.limit, [stream], keepingBytes: true, property)
      try self.try(.limit, CodecPlan.bytes(stream), keepingBytes: true, property)
      for cut in plan.cuts(in: stream) {
        try self.try(.limit, CodecPlan.two(stream, cut), keepingBytes: true, property)
      }
    }
    try inEveryTwoReads(limit.accepts, expectAccepted)
    try inEveryTwoReads(limit.refuses, expectRefused(at: 0))
    try inEveryTwoReads(limit.accepts + limit.refuses, expectRefused(at: limit.accepts.count))
    try inEveryTwoReads(limit.refuses + limit.accepts, expectRefused(at: 0))
    try inEveryTwoReads(limit.refuses + limit.accepts, expectSameError)
    try inEveryTwoReads(limit.refuses.dropLast(), expectUndecided)
  }
}
