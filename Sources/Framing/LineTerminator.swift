/// What ends a line.
///
/// A literal terminator is written as a string or as bytes: `"x"`, `"\r\n"`, `[0]`.
public struct LineTerminator: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case newline
    case anyNewline
    case autodetect
    case literal([UInt8])
    case oneOf([[UInt8]])
    case run([UInt8], atLeast: Int)
  }

  let kind: Kind

  /// As many as a line has by default.
  private static let longestRun = 65_536

  /// LF or CRLF in, LF out. A CR anywhere else belongs to the line.
  public static let newline = LineTerminator(kind: .newline)

  /// CR, LF, CRLF or LFCR in, whichever comes, CRLF out.
  public static let anyNewline = LineTerminator(kind: .anyNewline)

  /// In, whichever of CR, LF, CRLF and LFCR ends the first line, and from then on that one alone; CRLF out.
  public static let autodetect = LineTerminator(kind: .autodetect)

  /// These bytes in this order, in and out. None at all is rejected by whatever framing is made with it.
  public init(_ bytes: [UInt8]) {
    self.init(kind: .literal(bytes))
  }

  /// Any of these texts in, the first of them out.
  ///
  /// Where one is the beginning of another, the longer one counts if it is there, so that a line whose terminator
  /// could still grow waits for the next byte, or for the end of the stream. They should be few and short: a byte with
  /// which some of them begin costs up to their lengths.
  ///
  /// ```swift
  /// try LineFraming(.oneOf(";", "\n"))
  /// ```
  public static func oneOf(_ alternatives: String...) -> LineTerminator {
    LineTerminator(kind: .oneOf(alternatives.map { Array($0.utf8) }))
  }

  /// Any of these sequences of bytes in, the first of them out; else as with texts.
  public static func oneOf(_ alternatives: [[UInt8]]) -> LineTerminator {
    LineTerminator(kind: .oneOf(alternatives))
  }

  /// In, a run of bytes that are all among these, as long as it goes; out, the first of them, as often as it must
  /// come.
  ///
  /// A line is delivered as soon as the run after it is long enough, and what comes of the run later is dropped.
  /// (Where lines keep their terminators, one waits for the run to end, which may then have at most the maximum
  /// length of a line: a longer one makes the line a bad frame.)
  ///
  /// ```swift
  /// try LineFraming(.run(of: "\r\n", atLeast: 2))  // paragraphs
  /// try LineFraming(.run(of: " "))                 // words
  /// ```
  ///
  /// - Parameters:
  ///   - bytes: The UTF-8 bytes that a terminator is made of.
  ///   - minimum: How many of them in a row end a line, 1 to 65,536; fewer are content.
  public static func run(of bytes: String, atLeast minimum: Int = 1) -> LineTerminator {
    run(of: Array(bytes.utf8), atLeast: minimum)
  }

  /// In, a run of bytes that are all among these; else as with text.
  public static func run(of bytes: [UInt8], atLeast minimum: Int = 1) -> LineTerminator {
    LineTerminator(kind: .run(bytes, atLeast: minimum))
  }

  /// Why the terminator can't work, and what to change.
  var problem: String? {
    switch kind {
    case .newline, .anyNewline, .autodetect, .literal: nil
    case .oneOf(let alternatives):
      alternatives.isEmpty || alternatives.contains([])
        ? "an alternative line terminator is empty, or there is none; give each at least one byte" : nil
    case .run(let bytes, let minimum):
      bytes.isEmpty || minimum < 1
        ? "a run of at least \(minimum) of \(bytes.count) bytes ends no line; make both at least 1"
        : minimum > Self.longestRun
          ? "a run of at least \(minimum) bytes is held until it is whole; make it at most \(Self.longestRun)"
          : nil
    }
  }

  private init(kind: Kind) {
    self.kind = kind
  }

  /// The bytes that an encoder ends a line with.
  var output: [UInt8] {
    switch kind {
    case .newline: [.lf]
    case .anyNewline, .autodetect: [.cr, .lf]
    case .literal(let bytes): bytes
    case .oneOf(let alternatives): alternatives.first ?? []
    case .run(let bytes, let minimum): bytes.first.map { [UInt8](repeating: $0, count: minimum) } ?? []
    }
  }
}

extension LineTerminator: ExpressibleByStringLiteral {
  /// The UTF-8 bytes of a string literal.
  public init(stringLiteral text: String) {
    self.init(Array(text.utf8))
  }
}

extension LineTerminator: ExpressibleByArrayLiteral {
  /// The bytes of an array literal.
  public init(arrayLiteral bytes: UInt8...) {
    self.init(bytes)
  }
}

extension UInt8 {
  static var lf: UInt8 { 0x0A }
  static var cr: UInt8 { 0x0D }
}
