import MultiClient

/// Reads where to connect to: `HOST:PORT`, `[IPv6]:PORT`, `unix:PATH`, `unix:@NAME`.
enum Destination {
  static func parse(_ text: String) throws(UsageError) -> Target {
    if let address = try? SocketAddress(text) {
      if address.port == 0 { throw UsageError("--connect \(text): port 0 is none; nobody can listen there") }
      return .address(address)
    }
    if text.hasPrefix("/") || text.hasPrefix("./") {
      throw UsageError("--connect \(text): a Unix socket is written unix:\(text)")
    }
    guard let colon = text.lastIndex(of: ":") else {
      throw UsageError("--connect \(text): the port is missing; write HOST:PORT, such as \(text):7")
    }
    let host = text[..<colon]
    let digits = text[text.index(after: colon)...]
    // What has a bracket or a second colon was to be an IPv6 address, and is none.
    if host.contains(where: { ":[]".contains($0) }) || text.hasPrefix("unix:") {
      do throws(SocketError) { _ = try SocketAddress(text) } catch {
        throw UsageError("--connect \(text): \(error.problem)")
      }
    }
    guard let port = UInt16(digits), port > 0, digits.allSatisfy(\.isNumber) else {
      throw UsageError("--connect \(text): the port must be a number from 1 to 65535, not \"\(digits)\"")
    }
    guard !host.isEmpty, host.utf8.count <= 253, !host.contains(where: { $0.isWhitespace || $0 == "/" })
    else {
      throw UsageError("--connect \(text): \"\(host)\" is no host name; write HOST:PORT")
    }
    return .host(String(host), port: port)
  }
}

extension SocketError {
  /// What is wrong with a value, without the words that it is.
  fileprivate var problem: String { if case .invalid(let problem) = self { problem } else { description } }
}
