/// Which byte of an integer comes first on the wire.
public enum ByteOrder: Hashable, Sendable {
  /// The most significant: network byte order.
  case big
  /// The least significant.
  case little

  /// The integer that as many bytes as it is wide make in this order.
  func integer<Integer: FixedWidthInteger>(of bytes: [UInt8]) -> Integer {
    var value: Integer = 0
    for byte in self == .big ? bytes : bytes.reversed() {
      value = value << 8 | Integer(truncatingIfNeeded: byte)
    }
    return value
  }

  /// The bytes of an integer in this order, as many as it is wide.
  ///
  /// ```swift
  /// ByteOrder.big.bytes(of: UInt16(80))       // [0, 80]
  /// ```
  public func bytes<Integer: FixedWidthInteger>(of integer: Integer) -> [UInt8] {
    let littleEndian = (0..<(Integer.bitWidth / 8)).map { UInt8(truncatingIfNeeded: integer >> (8 * $0)) }
    return self == .big ? littleEndian.reversed() : littleEndian
  }
}
