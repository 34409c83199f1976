import Framing

// The way back.
extension CodecVerifier where F.Encoder.Frame == F.Decoder.Frame {
  /// Checks the encoder, and returns what it makes of the frames.
  func check(encoding frames: [Frame]) throws(CodecFailure) -> [UInt8] {
    for check in [CodecCheck.roundTrip, .appending, .copies] where checks.contains(check) {
      guard let problem = problem(check, frames) else { continue }
      var smallest = (frames, problem)
      while let smaller = shrink(smallest.0, check) { smallest = smaller }
      let reads = check == .roundTrip ? [(try? encode(smallest.0)) ?? []] : []
      throw CodecFailure(
        check, codec: name,
        problem: CodecProblem(
          expected: "of [\(smallest.0.map(describe).joined(separator: ", "))]: \(smallest.1.expected)",
          got: smallest.1.got),
        reads: reads, shrunkFrom: nil, seed: seed)
    }
    return (try? encode(frames)) ?? []
  }

  /// Checks that the encoder refuses each of the frames, after what it can send as at the beginning.
  func check(refusalOf frames: [Frame], after accepted: [Frame]) throws(CodecFailure) {
    guard checks.contains(.unencodable) else { return }
    for frame in frames {
      for before in [[], accepted] {
        var encoder = framing.makeEncoder()
        var output: [UInt8] = []
        for frame in before { try? encoder.encode(frame, into: &output) }
        let got: String
        output = []
        do throws(FramingError) {
          try encoder.encode(frame, into: &output)
          got = "\(output.count) bytes: \(HexText(output))"
        } catch {
          if case .unencodable = error { continue }
          got = "\(error)"
        }
        throw CodecFailure(
          .unencodable, codec: name,
          problem: CodecProblem(expected: "of \(describe(frame)): an error .unencodable", got: got),
          reads: [], shrunkFrom: nil, seed: seed)
      }
    }
  }

  private func shrink(_ frames: [Frame], _ check: CodecCheck) -> ([Frame], CodecProblem)? {
    for index in frames.indices {
      var fewer = frames
      fewer.remove(at: index)
      if let problem = problem(check, fewer) { return (fewer, problem) }
    }
    return nil
  }

  private func problem(_ check: CodecCheck, _ frames: [Frame]) -> CodecProblem? {
    do throws(FramingError) {
      return switch check {
      case .roundTrip: try changes(frames)
      case .appending: try dependsOnOutput(frames)
      case .copies: try copiesInterfere(frames)
      default: nil
      }
    } catch {
      return check == .roundTrip
        ? CodecProblem(
          expected: "bytes (a frame that can't be sent is for unencodable:)",
          got: "an error of the encoder: \(error)") : nil
    }
  }

  /// Each frame into an output of its own, so that only the appending check tells what an encoder does to others.
  private func encode(_ frames: [Frame]) throws(FramingError) -> [UInt8] {
    var encoder = framing.makeEncoder()
    var stream: [UInt8] = []
    for frame in frames {
      var output: [UInt8] = []
      try encoder.encode(frame, into: &output)
      stream += output
    }
    return stream
  }

  private func changes(_ frames: [Frame]) throws(FramingError) -> CodecProblem? {
    let got = properties.outcomes(of: [try encode(frames)]).ended
    let expected = CodecOutcome(frames: joined(frames), pending: [])
    // Which the decoder's own check tells.
    return got == expected || got.isEndless ? nil : CodecProblem(expected: "\(expected)", got: "\(got)")
  }

  private func dependsOnOutput(_ frames: [Frame]) throws(FramingError) -> CodecProblem? {
    let before: [UInt8] = Array("earlier ".utf8)
    var encoder = framing.makeEncoder()
    var output = before
    for frame in frames { try encoder.encode(frame, into: &output) }
    let expected = before + (try encode(frames))
    return output == expected
      ? nil : CodecProblem(expected: "after what was there: \(HexText(expected))", got: "\(HexText(output))")
  }

  private func copiesInterfere(_ frames: [Frame]) throws(FramingError) -> CodecProblem? {
    let half = frames.count / 2
    var original = framing.makeEncoder()
    var ignored: [UInt8] = []
    for frame in frames[..<half] { try original.encode(frame, into: &ignored) }
    var copy = original
    var outputs: [[UInt8]] = [[], []]
    for frame in frames[half...] { try original.encode(frame, into: &outputs[0]) }
    for frame in frames[half...] { try copy.encode(frame, into: &outputs[1]) }
    return outputs[0] == outputs[1]
      ? nil : CodecProblem(expected: "of the copy too: \(HexText(outputs[0]))", got: "\(HexText(outputs[1]))")
  }
}
