/// Lines of text.
///
/// `LineFraming()` accepts lines that end in LF or CRLF, sends LF, and refuses lines of more than 65,536 bytes.
/// Other terminators, limits and forms:
///
/// ```swift
/// LineFraming.anyNewline                              // CR, LF, CRLF, LFCR in; CRLF out
/// try LineFraming("\r\n", maximumLength: 998)         // exactly CRLF, both ways
/// try LineFraming("x", sends: "y")
/// try LineFraming(.oneOf(";", "\n"))                  // either
/// try LineFraming(.run(of: "\r\n", atLeast: 2))      // paragraphs
/// LineFraming().keepingTerminator                     // "one\r\n", then "two\n"
/// LineFraming().bytes                                 // [UInt8] instead of String
/// ```
///
/// Frames are strings, and a line that is not UTF-8 is an error, ``FramingError/invalidUTF8(offset:)``; ``bytes``
/// takes any line. A line of more than the maximum is ``FramingError/tooLong(limit:seen:offset:)`` as soon as the
/// first byte too many is there, once the lines before it have been delivered.
public struct LineFraming: Framing {
  /// The longest line unless another limit is given: 65,536 bytes, its terminator not counted.
  public static let defaultMaximumLength = 65_536

  /// What becomes of bytes at the end of the stream that no terminator follows.
  public enum UnfinishedLastLine: Hashable, Sendable {
    /// They are a last line.
    case deliver
    /// They are an error, ``FramingError/truncated(held:offset:)``.
    case fail
  }

  let rules: LineRules

  init(rules: LineRules) {
    self.rules = rules
  }

  /// LF or CRLF in, LF out, lines of at most 65,536 bytes, and an unfinished last line is delivered.
  public init() {
    rules = LineRules(known: .newline)
  }

  /// Lines with a terminator or limits of one's own.
  ///
  /// - Parameters:
  ///   - terminator: What ends a received line: a literal such as `"x"` or `[0]`, `.newline` (LF or CRLF; the
  ///     default), `.anyNewline`, `.autodetect`, one of several, or a run of bytes.
  ///   - sends: What ends a line that is sent: by default what `terminator` sends by itself.
  ///   - maximumLength: The longest line in bytes, its terminator not counted; at least 1, by default 65,536. An
  ///     unfinished last line is held to it too.
  ///   - unfinishedLastLine: What becomes of bytes without a terminator at the end of the stream: by default a
  ///     last line.
  ///   - badFrames: What becomes of a line that is too long or not UTF-8: by default an error.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for an empty terminator or a limit below 1.
  public init(
    _ terminator: LineTerminator = .newline, sends: LineTerminator? = nil,
    maximumLength: Int = defaultMaximumLength, unfinishedLastLine: UnfinishedLastLine = .deliver,
    badFrames: BadFrames = .fail
  ) throws(FramingError) {
    rules = try LineRules(
      terminator: terminator, sends: sends ?? terminator, maximumLength: maximumLength,
      unfinishedLastLine: unfinishedLastLine, badFrames: badFrames)
  }

  /// CR, LF, CRLF or LFCR in, in any mix; CRLF out.
  ///
  /// A line is delivered at once when its CR or LF is the last byte that has come; if the next byte to come then
  /// is the other half of a pair, it is dropped. (If another codec takes over in between, that byte is the first
  /// that it sees.)
  public static let anyNewline = LineFraming(rules: LineRules(known: .anyNewline))

  /// In, whichever of CR, LF, CRLF and LFCR ends the first line, and from then on that one alone; CRLF out.
  ///
  /// The first line is delivered at once when its CR or LF is the last byte that has come; the next byte to come
  /// then decides whether its terminator is a pair. The encoder knows nothing of what the decoder finds, and
  /// sends CRLF from the first line to the last.
  public static let autodetect = LineFraming(rules: LineRules(known: .autodetect))

  /// The same, with lines that include the terminator that they came with, and are sent as they are.
  ///
  /// The frames, put together, are the stream, byte for byte; an unfinished last line has no terminator. So that
  /// this does not depend on how the bytes were cut into reads, the modes that take CR, LF, CRLF and LFCR hold a
  /// line whose CR or LF is the last byte that has come until the next one comes or the stream ends
  /// (`.anyNewline` every line, `.autodetect` the first): not for a peer that waits for an answer.
  public var keepingTerminator: LineFraming { LineFraming(rules: rules.keepingTerminator) }

  /// The same, with frames of bytes, exact whatever they are.
  public var bytes: LineBytesFraming { LineBytesFraming(rules: rules) }

  /// A decoder for the start of a line.
  public func makeDecoder() -> Decoder { Decoder(rules) }

  /// An encoder that ends lines as this framing says.
  public func makeEncoder() -> Encoder { Encoder(rules) }
}
