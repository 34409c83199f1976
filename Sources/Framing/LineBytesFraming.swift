/// Lines of bytes, exact whatever they are; made by ``LineFraming/bytes``.
///
/// ```swift
/// LineFraming().bytes
/// try LineFraming([0], maximumLength: 4_096).bytes
/// ```
public struct LineBytesFraming: Framing {
  let rules: LineRules

  init(rules: LineRules) {
    self.rules = rules
  }

  /// The same, with lines that include the terminator that they came with, and are sent as they are; see
  /// ``LineFraming/keepingTerminator``.
  public var keepingTerminator: LineBytesFraming { LineBytesFraming(rules: rules.keepingTerminator) }

  /// A decoder for the start of a line.
  public func makeDecoder() -> Decoder { Decoder(rules) }

  /// An encoder that ends lines as this framing says.
  public func makeEncoder() -> Encoder { Encoder(rules) }

  /// Takes lines from a buffer as bytes.
  public struct Decoder: FrameDecoder {
    private var scanner: LineScanner

    /// How many lines that were too long have been dropped, if the framing says that they are.
    public var skippedFrames: Int { scanner.skippedLines }

    init(_ rules: LineRules) {
      scanner = LineScanner(rules)
    }

    /// The next line; `nil` if none has ended yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)``.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      guard let line = try scanner.next(&buffer) else { return nil }
      return take(line, from: &buffer)
    }

    /// What the stream ended with after its last terminator; `nil` if that is nothing.
    ///
    /// - Throws: As `decode`, or ``FramingError/truncated(held:offset:)`` if the framing says so.
    public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
      guard let line = try scanner.last(&buffer) else { return nil }
      return take(line, from: &buffer)
    }

    private func take(_ line: LineScanner.Line, from buffer: inout ReceiveBuffer) -> [UInt8] {
      let bytes = buffer.takePrefix(line.kept)
      buffer.consume(line.dropped)
      return bytes
    }
  }

  /// Writes bytes as lines.
  public struct Encoder: FrameEncoder {
    private let ending: LineEnding

    init(_ rules: LineRules) {
      ending = LineEnding(rules.suffix)
    }

    /// Appends the line and a terminator. Throws nothing.
    ///
    /// The line is not inspected: one that contains a terminator reaches the peer as two. Check what comes from
    /// a third party first.
    public func encode(_ line: [UInt8], into output: inout [UInt8]) throws(FramingError) {
      output.append(contentsOf: line)
      ending.append(to: &output)
    }
  }
}
