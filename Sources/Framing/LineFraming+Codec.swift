extension LineFraming {
  /// Takes lines from a buffer as strings.
  public struct Decoder: FrameDecoder {
    private var scanner: LineScanner

    init(_ rules: LineRules) {
      scanner = LineScanner(rules)
    }

    /// The next line; `nil` if none has ended yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)`` or ``FramingError/invalidUTF8(offset:)``.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> String? {
      guard let line = try scanner.next(&buffer) else { return nil }
      return try take(line, from: &buffer)
    }

    /// What the stream ended with after its last terminator; `nil` if that is nothing.
    ///
    /// - Throws: As `decode`, or ``FramingError/truncated(held:offset:)`` if the framing says so.
    public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> String? {
      guard let line = try scanner.last(&buffer) else { return nil }
      return try take(line, from: &buffer)
    }

    private mutating func take(
      _ line: LineScanner.Line, from buffer: inout ReceiveBuffer
    ) throws(FramingError) -> String {
      do throws(FramingError) {
        let text = try buffer.takeString(line.kept)
        buffer.consume(line.dropped)
        return text
      } catch {
        throw scanner.fail(error)
      }
    }
  }

  /// Writes strings as lines.
  public struct Encoder: FrameEncoder {
    private let ending: LineEnding

    init(_ rules: LineRules) {
      ending = LineEnding(rules.suffix)
    }

    /// Appends the line and a terminator. Throws nothing.
    ///
    /// The line is not inspected: one that contains a terminator reaches the peer as two. Check what comes from
    /// a third party first.
    public func encode(_ line: String, into output: inout [UInt8]) throws(FramingError) {
      output.append(contentsOf: line.utf8)
      ending.append(to: &output)
    }
  }
}
