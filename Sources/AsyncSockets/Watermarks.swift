/// How much output a connection holds before it makes its senders wait, in bytes.
public struct Watermarks: Hashable, Sendable {
  /// At this many queued bytes, a sender waits.
  public let high: Int
  /// At or below this many, senders go on.
  public let low: Int

  /// 64 KiB and 32 KiB.
  public static let standard = Watermarks(uncheckedHigh: 65_536, low: 32_768)

  /// Marks of your own.
  ///
  /// - Throws: `SocketError.invalid` unless `0 < low <= high`.
  public init(high: Int, low: Int) throws(SocketError) {
    guard low > 0, high >= low else {
      throw .invalid("watermarks need 0 < low <= high, not low \(low) and high \(high)")
    }
    self.init(uncheckedHigh: high, low: low)
  }

  private init(uncheckedHigh high: Int, low: Int) {
    self.high = high
    self.low = low
  }
}
