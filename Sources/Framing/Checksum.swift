/// A sum over bytes that shows whether they were damaged: a cyclic redundancy check, or a simpler one.
///
/// A check against accidents, not against an attacker. The cyclic ones are given by the parameters of R. N.
/// Williams, "A Painless Guide to CRC Error Detection Algorithms" (1993); their check value is the sum over the
/// nine ASCII bytes `123456789`. A sum follows the bytes that it covers with the byte first that the polynomial's
/// bit order suggests (the least significant one for reflected sums); ``littleEndian`` and ``bigEndian`` differ.
public struct Checksum: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case xor
    case sum
    case crc(table: [UInt32], isReflected: Bool)
  }

  /// How many bytes it takes.
  public let width: Int
  let kind: Kind
  private let initial: UInt32
  private let final: UInt32
  private(set) var isLittleEndian: Bool

  /// The exclusive or of all bytes (a longitudinal redundancy check): 1 byte, check value 0x31.
  public static let xor8 = Checksum(kind: .xor)
  /// The sum of all bytes modulo 256: 1 byte, check value 0xDD.
  public static let sum8 = Checksum(kind: .sum)

  /// CRC-16/ARC: polynomial 0x8005, reflected; check value 0xBB3D.
  public static let crc16ARC = Checksum(crc: 2, polynomial: 0x8005, initial: 0, isReflected: true)
  /// CRC-16/MODBUS: polynomial 0x8005, initially 0xFFFF, reflected; check value 0x4B37.
  public static let crc16Modbus = Checksum(crc: 2, polynomial: 0x8005, initial: 0xFFFF, isReflected: true)
  /// CRC-16/XMODEM: polynomial 0x1021; check value 0x31C3.
  public static let crc16XMODEM = Checksum(crc: 2, polynomial: 0x1021, initial: 0, isReflected: false)
  /// CRC-16/IBM-3740, often called CCITT-FALSE: polynomial 0x1021, initially 0xFFFF; check value 0x29B1.
  public static let crc16IBM3740 = Checksum(crc: 2, polynomial: 0x1021, initial: 0xFFFF, isReflected: false)
  /// CRC-16/IBM-SDLC, of HDLC, PPP (RFC 1662) and X.25: polynomial 0x1021, initially and finally 0xFFFF, reflected;
  /// check value 0x906E.
  public static let crc16X25 = Checksum(
    crc: 2, polynomial: 0x1021, initial: 0xFFFF, isReflected: true, final: 0xFFFF)
  /// CRC-32/ISO-HDLC, of Ethernet, gzip (RFC 1952) and PNG: polynomial 0x04C11DB7, initially and finally
  /// 0xFFFFFFFF, reflected; check value 0xCBF43926.
  public static let crc32 = Checksum(
    crc: 4, polynomial: 0x04C1_1DB7, initial: 0xFFFF_FFFF, isReflected: true, final: 0xFFFF_FFFF)
  /// CRC-32/ISCSI, also called Castagnoli and CRC-32C (RFC 3720): polynomial 0x1EDC6F41, initially and finally
  /// 0xFFFFFFFF, reflected; check value 0xE3069283.
  public static let crc32C = Checksum(
    crc: 4, polynomial: 0x1EDC_6F41, initial: 0xFFFF_FFFF, isReflected: true, final: 0xFFFF_FFFF)

  /// With the least significant byte first.
  public var littleEndian: Checksum { ordered(isLittleEndian: true) }

  /// With the most significant byte first.
  public var bigEndian: Checksum { ordered(isLittleEndian: false) }

  private func ordered(isLittleEndian: Bool) -> Checksum {
    var checksum = self
    checksum.isLittleEndian = isLittleEndian
    return checksum
  }

  private init(kind: Kind) {
    self.kind = kind
    width = 1
    initial = 0
    final = 0
    isLittleEndian = false
  }

  private init(crc width: Int, polynomial: UInt32, initial: UInt32, isReflected: Bool, final: UInt32 = 0) {
    kind = .crc(
      table: Self.table(polynomial, bits: 8 * UInt32(width), isReflected: isReflected),
      isReflected: isReflected)
    self.width = width
    // A sum of fewer bits stands in the low ones if it is reflected, and else in the high ones.
    self.initial = isReflected ? initial : initial << (32 - 8 * UInt32(width))
    self.final = final
    isLittleEndian = isReflected
  }

  /// The sum over some bytes.
  public func callAsFunction(_ bytes: some Sequence<UInt8>) -> UInt32 {
    switch kind {
    case .xor: return bytes.reduce(0) { $0 ^ UInt32($1) }
    case .sum: return bytes.reduce(0) { ($0 &+ UInt32($1)) & 0xFF }
    case .crc(let table, isReflected: true):
      return bytes.reduce(initial) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] } ^ final
    case .crc(let table, isReflected: false):
      let sum = bytes.reduce(initial) { $0 << 8 ^ table[Int(UInt8(truncatingIfNeeded: $0 >> 24) ^ $1)] }
      return sum >> (32 - 8 * UInt32(width)) ^ final
    }
  }

  /// What each value of a byte contributes.
  private static func table(_ polynomial: UInt32, bits: UInt32, isReflected: Bool) -> [UInt32] {
    (UInt32(0)..<256).map { byte in
      var rest = isReflected ? byte : byte << 24
      let divisor = isReflected ? reversed(polynomial, bits: bits) : polynomial << (32 - bits)
      for _ in 0..<8 {
        let isSet = rest & (isReflected ? 1 : 1 << 31) != 0
        rest = isReflected ? rest >> 1 : rest << 1
        if isSet { rest ^= divisor }
      }
      return rest
    }
  }

  private static func reversed(_ value: UInt32, bits: UInt32) -> UInt32 {
    (0..<bits).reduce(0) { $0 << 1 | (value >> $1) & 1 }
  }
}
