import Framing
import Testing

/// What a fresh encoder makes of frames, as bytes.
func encoded<F: Framing>(_ framing: F, _ frames: [F.Encoder.Frame]) throws -> [UInt8] {
  var encoder = framing.makeEncoder()
  var output: [UInt8] = []
  for frame in frames { try encoder.encode(frame, into: &output) }
  return output
}

/// Fails the test unless frames survive encoding and decoding however they are cut into reads, and unless the
/// stream, cut off at any byte, comes to the frames that are whole and an error if that is inside one.
func checkBlocks<F: Framing>(
  _ framing: F, _ frames: [F.Encoder.Frame], sourceLocation: SourceLocation = #_sourceLocation
) throws where F.Encoder.Frame == F.Decoder.Frame, F.Decoder.Frame: Equatable {
  let stream = try encoded(framing, frames)
  #expect(
    decodeEveryWay(framing, [stream], ended: true, sourceLocation: sourceLocation) == Outcome(frames),
    sourceLocation: sourceLocation)
  let ends = try frames.indices.map { try encoded(framing, Array(frames[...$0])).count }
  for cut in stream.indices {
    let whole = ends.prefix { $0 <= cut }
    let start = whole.last ?? 0
    var expected = Outcome(Array(frames.prefix(whole.count)))
    if start < cut {
      expected.pending = Array(stream[start..<cut])
      expected.error = .truncated(held: cut - start, offset: UInt64(start))
    }
    #expect(
      Outcome(of: framing, reads: [stream[..<cut]], ended: true) == expected, "cut off at \(cut)",
      sourceLocation: sourceLocation)
  }
}

/// The error that making or using a codec ends in.
func failure(_ body: () throws -> Void) -> FramingError? {
  do {
    try body()
    return nil
  } catch {
    return error as? FramingError
  }
}

extension Outcome where Frame == [UInt8] {
  /// Frames written as text.
  init(text frames: [String], pending: String = "", error: FramingError? = nil) {
    self.init(frames.map { Array($0.utf8) }, pending: pending, error: error)
  }
}
