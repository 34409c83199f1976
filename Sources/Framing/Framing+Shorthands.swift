extension Framing where Self == LineFraming {
  /// Lines of text, ended by LF or CRLF; see ``LineFraming``.
  public static var lines: LineFraming { LineFraming() }
}

extension Framing where Self == LineBytesFraming {
  /// Lines of bytes, ended by LF or CRLF; see ``LineBytesFraming``.
  public static var lineBytes: LineBytesFraming { LineFraming().bytes }

  /// Frames of bytes, ended by a delimiter of one's own.
  ///
  /// ```swift
  /// try .delimited(by: [0])
  /// try .delimited(by: "\r\n.\r\n", maximumLength: 1 << 20)
  /// ```
  ///
  /// - Parameters:
  ///   - delimiter: What ends a frame.
  ///   - maximumLength: The longest frame in bytes, its delimiter not counted; at least 1, by default 65,536.
  ///   - unfinishedLastFrame: What becomes of bytes without a delimiter at the end of the stream: by default a
  ///     last frame.
  ///   - badFrames: What becomes of a frame that is too long: by default an error.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` for an empty delimiter or a limit below 1.
  public static func delimited(
    by delimiter: LineTerminator, maximumLength: Int = LineFraming.defaultMaximumLength,
    unfinishedLastFrame: LineFraming.UnfinishedLastLine = .deliver, badFrames: BadFrames = .fail
  ) throws(FramingError) -> LineBytesFraming {
    try LineFraming(
      delimiter, maximumLength: maximumLength, unfinishedLastLine: unfinishedLastFrame, badFrames: badFrames
    ).bytes
  }
}

extension Framing where Self == RawFraming {
  /// Bytes as they come; see ``RawFraming``.
  public static var raw: RawFraming { RawFraming() }
}
