import AsyncSockets
import Framing

/// HTTP CONNECT (RFC 9110 §9.3.6), with Basic authentication if there are credentials (RFC 7617).
struct HTTPConnectHandshake: ProxyHandshake {
  private enum Phase {
    case statusLine
    /// The lines that follow it, up to an empty one.
    case fields(isFinal: Bool)
    case over
  }

  /// An answer with its fields may be as long as this, interim answers included.
  static let maximumLength = 16_384
  private static let lineFeed = UInt8(ascii: "\n")
  private static let beginning = Array("HTTP/1.".utf8)

  let greeting: [UInt8]
  private var phase = Phase.statusLine
  private var taken = 0

  init(for target: ProxyTarget, credentials: Proxy.Credentials?) throws(SocketError) {
    var request = "CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n"
    if let credentials { request += "Proxy-Authorization: Basic \(try Self.basic(credentials))\r\n" }
    greeting = Array((request + "\r\n").utf8)
  }

  mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> ProxyStep? {
    while true {
      switch phase {
      case .over: return nil
      case .statusLine:
        try checkBeginning(of: buffer)
        let offset = buffer.offset
        guard let line = try takeLine(&buffer) else { return nil }
        guard let code = Self.code(in: line) else {
          throw .malformed("the status line \"\(Self.quoted(line))\"", offset: offset)
        }
        // 101 is no news of what is to come, but a switch to something else.
        guard (200..<300).contains(code) || (100..<200).contains(code) && code != 101 else {
          phase = .over
          return .refused(.status(code, line: Self.quoted(line)))
        }
        phase = .fields(isFinal: code >= 200)
      case .fields(let isFinal):
        guard let line = try takeLine(&buffer) else { return nil }
        guard line.isEmpty else { continue }
        phase = isFinal ? .over : .statusLine
        // Whatever the fields say of a body, there is none.
        if isFinal { return .established }
      }
    }
  }

  /// Somebody who speaks another protocol may never send a line.
  private func checkBeginning(of buffer: borrowing ReceiveBuffer) throws(FramingError) {
    for index in 0..<min(buffer.count, Self.beginning.count) where buffer[index] != Self.beginning[index] {
      throw .malformed("an answer begins with HTTP/1., and this one does not", offset: buffer.offset)
    }
  }

  /// The next line without its end, LF or CRLF (RFC 9112 §2.2).
  private mutating func takeLine(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
    let room = Self.maximumLength - taken
    let found = buffer.firstIndex(of: Self.lineFeed, from: buffer.searched)
    guard found ?? buffer.count < room else {
      throw .tooLong(
        limit: Self.maximumLength, seen: Self.maximumLength + 1, offset: buffer.offset - UInt64(taken))
    }
    guard let found else {
      buffer.searched = buffer.count
      return nil
    }
    taken += found + 1
    let line = buffer.takePrefix(found)
    buffer.consume(1)
    return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }

  /// The three digits of a status line; `nil` for anything else.
  private static func code(in line: [UInt8]) -> Int? {
    let rest = line.dropFirst(beginning.count)
    let space = UInt8(ascii: " ")
    guard rest.count >= 5, let minor = rest.first, isDigit(minor), rest.dropFirst().first == space else {
      return nil
    }
    let digits = rest.dropFirst(2).prefix(3)
    let end = rest.dropFirst(5).first ?? space
    guard digits.allSatisfy(isDigit), end == space, digits.first != UInt8(ascii: "0") else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// The beginning of a line, harmless in a log.
  private static func quoted(_ line: [UInt8]) -> String {
    let bytes = line.prefix(200).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func basic(_ credentials: Proxy.Credentials) throws(SocketError) -> String {
    let (name, password) = (credentials.username, credentials.password)
    let isPlain = (name + password).unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    guard isPlain, !name.contains(":") else {
      throw .invalid(
        "HTTP's Basic authentication takes a username without a colon, and no control characters (RFC 7617 §2)"
      )
    }
    return base64(Array("\(name):\(password)".utf8))
  }
}

/// RFC 4648 §4.
func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let padded = Array(group) + Array(repeating: 0, count: 3 - group.count)
    let number = padded.reduce(0) { $0 << 8 | Int($1) }
    let digits = [18, 12, 6, 0].map { alphabet[number >> $0 & 63] }
    text += digits.prefix(group.count + 1) + Array(repeating: UInt8(ascii: "="), count: 3 - group.count)
  }
  return String(decoding: text, as: UTF8.self)
}
