import Glibc

/// The ports that the system gives to sockets which do not ask for one: `ip_local_port_range` of ip(7).
enum EphemeralPorts {
  private static let path = "/proc/sys/net/ipv4/ip_local_port_range"

  /// `nil` where the file cannot be read, as in some containers.
  static var range: ClosedRange<UInt16>? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var text = [UInt8](repeating: 0, count: 64)
    let count = unsafe read(descriptor, &text, text.count)
    guard count > 0 else { return nil }
    return range(in: String(decoding: text[..<count], as: UTF8.self))
  }

  /// Reads `32768\t60999\n`.
  static func range(in text: String) -> ClosedRange<UInt16>? {
    let numbers = text.split(whereSeparator: \.isWhitespace).map { UInt16($0) }
    guard numbers.count == 2, let first = numbers[0], let last = numbers[1], first <= last else { return nil }
    return first...last
  }
}
