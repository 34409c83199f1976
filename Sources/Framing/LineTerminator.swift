/// What ends a line.
///
/// A literal terminator is written as a string or as bytes: `"x"`, `"\r\n"`, `[0]`.
public struct LineTerminator: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case newline
    case anyNewline
    case autodetect
    case literal([UInt8])
  }

  let kind: Kind

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

  private init(kind: Kind) {
    self.kind = kind
  }

  /// The bytes that an encoder ends a line with.
  var output: [UInt8] {
    switch kind {
    case .newline: [.lf]
    case .anyNewline, .autodetect: [.cr, .lf]
    case .literal(let bytes): bytes
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
