/// A length in ASCII decimal digits, and one byte that ends it: NUL, unless another is given.
///
/// At most 20 digits, leading zeros among them, which say nothing and are accepted.
public struct DecimalPrefix: LengthPrefix, Hashable {
  /// The byte after the digits.
  public let terminator: UInt8

  static let longest = 20

  /// Digits that NUL ends.
  public init() {
    terminator = 0
  }

  /// - Parameter terminator: The byte after the digits.
  /// - Throws: ``FramingError/invalidConfiguration(_:)`` if that is a digit.
  public init(terminator: UInt8) throws(FramingError) {
    guard !Self.isDigit(terminator) else {
      throw .invalidConfiguration("a digit can't end a decimal length; choose another byte, such as 0")
    }
    self.terminator = terminator
  }

  init(known terminator: UInt8) {
    self.terminator = terminator
  }

  /// The length at the front of the buffer.
  ///
  /// - Throws: ``FramingError/malformed(_:offset:)`` for anything but 1 to 20 digits and the terminator.
  public func read(_ buffer: borrowing ReceiveBuffer) throws(FramingError) -> PrefixedLength? {
    var value: UInt64 = 0
    for index in 0..<Swift.min(buffer.count, Self.longest + 1) {
      let byte = buffer[index]
      if byte == terminator, index > 0 { return PrefixedLength(prefix: index + 1, content: value) }
      guard Self.isDigit(byte) else {
        throw .malformed(
          "a decimal length has a byte of value \(byte) in it", offset: buffer.offset + UInt64(index))
      }
      guard index < Self.longest else {
        throw .malformed("a decimal length has more than \(Self.longest) digits", offset: buffer.offset)
      }
      // Twenty digits can be more than 64 bits hold, and are too long for any limit then.
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 0x30))
      value = overflow || carry ? .max : sum
    }
    return nil
  }

  /// Appends a length, without leading zeros.
  ///
  /// - Throws: ``FramingError/unencodable(_:)`` for a negative one.
  public func write(_ length: Int, into output: inout [UInt8]) throws(FramingError) {
    guard length >= 0 else { throw .unencodable("a length can't be \(length)") }
    output.append(contentsOf: String(length).utf8)
    output.append(terminator)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

extension LengthPrefix where Self == DecimalPrefix {
  /// ASCII decimal digits, and NUL after them.
  public static var decimal: DecimalPrefix { DecimalPrefix() }
}
