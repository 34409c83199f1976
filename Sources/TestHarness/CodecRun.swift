import Framing

/// A decoder and its buffer on their way through a stream, driven as a connection drives them.
struct CodecRun<F: Framing> {
  typealias Frame = F.Decoder.Frame

  var decoder: F.Decoder
  var buffer = ReceiveBuffer()
  private(set) var frames: [Frame] = []
  private(set) var error: FramingError?
  /// How often the decoder was called.
  private(set) var calls = 0
  private(set) var isEndless = false
  private var received = 0

  init(_ framing: F) {
    decoder = framing.makeDecoder()
  }

  /// Whether there is no point in going on.
  var isOver: Bool { error != nil || isEndless }

  /// Appends what a read brought, and takes every frame that is whole.
  mutating func read(_ bytes: some Collection<UInt8>) {
    guard !bytes.isEmpty else { return }
    buffer.append(contentsOf: Array(bytes))
    received += bytes.count
    drain { run throws(FramingError) in try run.decoder.decode(&run.buffer) }
  }

  /// Asks for frames though nothing has come.
  mutating func askAgain() {
    drain { run throws(FramingError) in try run.decoder.decode(&run.buffer) }
  }

  /// Ends the stream, and takes what that yields.
  mutating func end() {
    drain { run throws(FramingError) in try run.decoder.finish(&run.buffer) }
  }

  private mutating func drain(_ next: (inout Self) throws(FramingError) -> Frame?) {
    // More than any codec that expands its input has use for in a test.
    let most = 1_024 + 16 * received
    do throws(FramingError) {
      while !isOver {
        calls += 1
        guard let frame = try next(&self) else { return }
        frames.append(frame)
        isEndless = frames.count > most
      }
    } catch let thrown {
      error = thrown
    }
  }
}

/// All that came of a stream up to some point.
struct CodecOutcome<Frame: Equatable>: Equatable {
  var frames: [Frame]
  var pending: [UInt8]
  var error: FramingError?
  var isEndless = false
}

extension CodecOutcome: CustomStringConvertible {
  var description: String {
    if isEndless { return "frames without end, \(frames.count) and counting" }
    var text =
      "[" + frames.prefix(16).map(describe).joined(separator: ", ") + (frames.count > 16 ? ", …]" : "]")
    if frames.count > 8 { text = "\(frames.count) frames " + text }
    if !pending.isEmpty { text += ", left \(HexText(pending))" }
    if let error { text += ", error: \(error)" }
    return text
  }
}

/// A frame as a report shows it: bytes as text where they are text, and no more of it than can be read.
func describe(_ frame: some Any) -> String {
  if let bytes = frame as? [UInt8] {
    return String(validating: bytes, as: UTF8.self).map(describe) ?? HexText(bytes).hex
  }
  let text = String(reflecting: frame)
  return text.utf8.count > 200 ? String(text.prefix(200)) + "…" : text
}
