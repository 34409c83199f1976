/// Bytes in hex and as text, for a report.
struct HexText: CustomStringConvertible {
  /// Two digits a byte; a long run of one byte is counted.
  let hex: String
  /// The hex, and the text that the bytes are or seem to be.
  let description: String

  init(_ bytes: some Collection<UInt8>) {
    var parts: [String] = []
    var rest = bytes[...]
    while let byte = rest.first, parts.count < Self.mostParts {
      let run = rest.prefix { $0 == byte }.count
      let length = run > Self.longestRun ? run : 1
      let digits = (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      parts.append(length == 1 ? digits : "\(digits)×\(length)")
      rest = rest.dropFirst(length)
    }
    if !rest.isEmpty { parts.append("… (\(bytes.count) bytes)") }
    hex = parts.joined(separator: " ")
    let text = String(decoding: bytes.prefix(Self.mostText), as: UTF8.self).debugDescription
    description = hex + "  " + text + (bytes.count > Self.mostText ? "…" : "")
  }

  private static var mostParts: Int { 48 }
  private static var longestRun: Int { 8 }
  private static var mostText: Int { 48 }
}
