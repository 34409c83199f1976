/// An unsigned integer of 1, 2, 3, 4 or 8 bytes, by default in network byte order: a length, or a type.
///
/// ```swift
/// LengthPrefixFraming(.uint32)
/// LengthPrefixFraming(.uint16.littleEndian)
/// LengthPrefixFraming(.uint32.countingItself)     // the length of an empty frame is 4
/// LengthPrefixFraming(.uint16.adjusted(by: -1))   // the length of an empty frame is 1
/// ```
public struct IntegerField: LengthPrefix, Hashable {
  /// How many bytes the integer takes.
  public let width: Int
  /// Whether the least significant byte comes first.
  public private(set) var isLittleEndian = false
  /// What is added to a received value to get the number of bytes that follow it; subtracted when sending.
  public private(set) var adjustment = 0

  /// With the least significant byte first.
  public var littleEndian: IntegerField {
    var field = self
    field.isLittleEndian = true
    return field
  }

  /// As a length, counts its own bytes too.
  public var countingItself: IntegerField { adjusted(by: -width) }

  /// As a length, differs from the number of bytes that follow it.
  ///
  /// - Parameter difference: What to add to the value to get that number, in place of any earlier adjustment.
  public func adjusted(by difference: Int) -> IntegerField {
    var field = self
    field.adjustment = difference
    return field
  }

  /// Why it can't be a length, and what to change.
  var problem: String? {
    guard adjustment < 0, UInt64(adjustment.magnitude) > maximum else { return nil }
    return
      "a length of \(width * 8) bits is at most \(maximum), so that it can't count \(adjustment.magnitude) bytes "
      + "besides the content; adjust it by less, or make it wider"
  }

  fileprivate init(width: Int) {
    self.width = width
  }

  /// The length at the front of the buffer.
  ///
  /// - Throws: ``FramingError/malformed(_:offset:)`` if it is less than the adjustment takes away.
  @inlinable
  public func read(_ buffer: borrowing ReceiveBuffer) throws(FramingError) -> PrefixedLength? {
    guard buffer.count >= width else { return nil }
    return PrefixedLength(prefix: width, content: try length(in: buffer, at: 0))
  }

  /// Appends a length.
  ///
  /// - Throws: ``FramingError/unencodable(_:)`` if it doesn't fit.
  public func write(_ length: Int, into output: inout [UInt8]) throws(FramingError) {
    append(try value(forLength: length), to: &output)
  }

  /// The integer at a distance from the front, all of which must be there.
  @inlinable
  func value(in buffer: borrowing ReceiveBuffer, at start: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<width {
      value = value << 8 | UInt64(buffer[start + (isLittleEndian ? width - 1 - index : index)])
    }
    return value
  }

  /// The length that the integer at a distance from the front means.
  @inlinable
  func length(in buffer: borrowing ReceiveBuffer, at start: Int) throws(FramingError) -> UInt64 {
    let value = value(in: buffer, at: start)
    guard adjustment < 0 else {
      let (sum, overflow) = value.addingReportingOverflow(UInt64(adjustment))
      return overflow ? .max : sum
    }
    guard value >= adjustment.magnitude else {
      throw tooSmall(value, at: buffer.offset + UInt64(start))
    }
    return value - UInt64(adjustment.magnitude)
  }

  @inline(never) @usableFromInline
  func tooSmall(_ value: UInt64, at offset: UInt64) -> FramingError {
    .malformed(
      "a length of \(value) is less than the \(adjustment.magnitude) bytes that it counts besides the content",
      offset: offset)
  }

  /// What stands for a length on the wire.
  func value(forLength length: Int) throws(FramingError) -> UInt64 {
    let (value, overflow) = length.subtractingReportingOverflow(adjustment)
    guard !overflow, value >= 0, UInt64(value) <= maximum else {
      throw .unencodable("a content of \(length) bytes can't be expressed by a length of \(width * 8) bits")
    }
    return UInt64(value)
  }

  /// The greatest value.
  var maximum: UInt64 { .max >> (64 - 8 * UInt64(width)) }

  func append(_ value: UInt64, to output: inout [UInt8]) {
    for index in 0..<width { output.append(byte(index, of: value)) }
  }

  /// Writes over the bytes that are at an index.
  func replace(_ value: UInt64, in output: inout [UInt8], at start: Int) {
    for index in 0..<width { output[start + index] = byte(index, of: value) }
  }

  private func byte(_ index: Int, of value: UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: value >> (8 * UInt64(isLittleEndian ? index : width - 1 - index)))
  }
}

extension LengthPrefix where Self == IntegerField {
  /// One byte.
  public static var uint8: IntegerField { IntegerField(width: 1) }
  /// Two bytes.
  public static var uint16: IntegerField { IntegerField(width: 2) }
  /// Three bytes.
  public static var uint24: IntegerField { IntegerField(width: 3) }
  /// Four bytes.
  public static var uint32: IntegerField { IntegerField(width: 4) }
  /// Eight bytes.
  public static var uint64: IntegerField { IntegerField(width: 8) }
}
