/// Names one connection of a client, from the moment it is asked for to the end of the client; none is given twice
/// among four thousand million.
public struct ConnectionID: Hashable, Sendable {
  /// The serial number in the upper half; then which client of a group, and the place in its table.
  let rawValue: UInt64

  init(serial: UInt32, client: UInt8, slot: Int) {
    rawValue = UInt64(serial) << 32 | UInt64(client) << 24 | UInt64(UInt32(slot))
  }

  init(rawValue: UInt64) { self.rawValue = rawValue }

  /// The most places that a table may have.
  static let slotLimit = 1 << 24

  var slot: Int { Int(rawValue & 0xff_ffff) }

  /// Which client of a group.
  var client: Int { Int(rawValue >> 24 & 0xff) }
}

extension ConnectionID: CustomStringConvertible {
  /// `#17`; in a group with the number of the client before it, `2#17`.
  public var description: String { (client == 0 ? "" : "\(client)") + "#\(rawValue >> 32)" }
}
