import Framing
import Testing

/// All that came of decoding a stream.
struct Outcome<Frame: Equatable & Sendable>: Equatable, Sendable {
  var frames: [Frame]
  var pending: [UInt8] = []
  var error: FramingError?

  init(_ frames: [Frame], pending: String = "", error: FramingError? = nil) {
    self.frames = frames
    self.pending = Array(pending.utf8)
    self.error = error
  }

  /// The same with bytes left that are no text.
  func with(_ pending: [UInt8]) -> Outcome {
    var outcome = self
    outcome.pending = pending
    return outcome
  }

  /// Decodes reads in order, and the end of the stream after them if there is to be one.
  init<F: Framing>(
    of framing: F, reads: some Sequence<some Collection<UInt8>>, ended: Bool
  ) where F.Decoder.Frame == Frame {
    var feed = Feed(framing)
    frames = []
    for read in reads { frames += feed.read(Array(read)) }
    if ended { frames += feed.end() }
    pending = feed.buffer.pending
    error = feed.error
  }
}

/// Decodes a stream as it was read and as it might have been: at once, byte by byte, cut in two at every place,
/// and, if it is short, in three at every two. Fails the test unless all of them come to the same.
func decodeEveryWay<F: Framing>(
  _ framing: F, _ reads: [[UInt8]], ended: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
) -> Outcome<F.Decoder.Frame> where F.Decoder.Frame: Equatable {
  let stream = Array(reads.joined())
  let expected = Outcome(of: framing, reads: reads, ended: ended)

  func agrees(_ cuts: [Int]) -> Bool {
    let edges = [0] + cuts + [stream.count]
    let outcome = Outcome(
      of: framing, reads: zip(edges, edges.dropFirst()).map { stream[$0..<$1] }, ended: ended)
    if outcome == expected { return true }
    Issue.record("cut at \(cuts): \(outcome), as read: \(expected)", sourceLocation: sourceLocation)
    return false
  }

  var ways: [[Int]] = [[], Array(0..<stream.count)]
  ways += stream.indices.map { [$0] }
  if stream.count <= 20 {
    ways += stream.indices.flatMap { first in (first..<stream.count).map { [first, $0] } }
  }
  _ = ways.allSatisfy(agrees)
  return expected
}

func decodeEveryWay<F: Framing>(
  _ framing: F, _ reads: String..., ended: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
) -> Outcome<F.Decoder.Frame> where F.Decoder.Frame: Equatable {
  decodeEveryWay(framing, reads.map { Array($0.utf8) }, ended: ended, sourceLocation: sourceLocation)
}

/// What a fresh encoder makes of frames.
func encode<F: Framing>(_ framing: F, _ frames: F.Encoder.Frame...) throws -> String {
  var encoder = framing.makeEncoder()
  var output: [UInt8] = []
  for frame in frames { try encoder.encode(frame, into: &output) }
  return String(decoding: output, as: UTF8.self)
}
