extension LineFraming {
  /// Takes lines from a buffer as strings.
  public struct Decoder: FrameDecoder {
    private var scanner: LineScanner

    /// How many bad lines have been dropped, if the framing says that they are.
    public var skippedFrames: Int { scanner.skippedLines }

    init(_ rules: LineRules) {
      scanner = LineScanner(rules)
    }

    /// The next line; `nil` if none has ended yet.
    ///
    /// - Throws: ``FramingError/tooLong(limit:seen:offset:)`` or ``FramingError/invalidUTF8(offset:)``.
    public mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> String? {
      while let line = try scanner.next(&buffer) {
        if let text = try take(line, from: &buffer) { return text }
      }
      return nil
    }

    /// What the stream ended with after its last terminator; `nil` if that is nothing.
    ///
    /// - Throws: As `decode`, or ``FramingError/truncated(held:offset:)`` if the framing says so.
    public mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> String? {
      while let line = try scanner.last(&buffer) {
        if let text = try take(line, from: &buffer) { return text }
      }
      return nil
    }

    private mutating func take(
      _ line: LineScanner.Line, from buffer: inout ReceiveBuffer
    ) throws(FramingError) -> String? {
      do throws(FramingError) {
        let text = try buffer.takeString(line.kept)
        buffer.consume(line.dropped)
        return text
      } catch {
        guard scanner.skips else { throw scanner.fail(error) }
        scanner.skip(line, of: &buffer)
        return nil
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
