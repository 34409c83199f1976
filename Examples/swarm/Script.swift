import Framing

/// What each connection says, and what it has to hear.
final class Script: Sendable, Equatable {
  /// What is sent again and again.
  enum Message: Equatable, Sendable {
    /// A line of that many bytes. From 16 on it begins with the numbers of the connection and of the message, so that
    /// a reply that belongs to another is found out.
    case numbered(size: Int)
    case text([UInt8])
  }

  /// What makes a reply right.
  enum Expectation: Equatable, Sendable {
    /// It is what was sent.
    case echo
    case any
    /// It begins so.
    case text([UInt8])
  }

  static let newline = UInt8(ascii: "\n")
  private static let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
  private static let width = 7
  private static let numbersLength = 2 * (width + 1)

  let message: Message
  let expectation: Expectation
  /// The last line of a reply; `nil` for replies of one line.
  let end: [UInt8]?
  /// Whether messages and replies are bytes rather than lines.
  let isBytes: Bool
  /// Whether the server speaks first: a reply to nothing, which is always right.
  let isGreeted: Bool
  /// The longest line of a reply.
  let lineLimit: Int

  /// What is sent but for the numbers at its front.
  private let body: [UInt8]
  private let isNumbered: Bool

  init(
    _ message: Message, expecting expectation: Expectation, until end: [UInt8]? = nil, isBytes: Bool = false,
    isGreeted: Bool = false
  ) {
    self.message = message
    self.expectation = expectation
    self.end = end
    self.isBytes = isBytes
    self.isGreeted = isGreeted
    switch message {
    case .text(let bytes):
      body = bytes
      isNumbered = false
    case .numbered(let size):
      body = (0..<size).map { Self.letters[$0 % Self.letters.count] }
      isNumbered = size >= Self.numbersLength
    }
    lineLimit = max(65_536, body.count)
  }

  static func == (left: Script, right: Script) -> Bool {
    left.message == right.message && left.expectation == right.expectation && left.end == right.end
      && left.isBytes == right.isBytes && left.isGreeted == right.isGreeted
  }

  /// The size of a message, without its line ending.
  var size: Int { body.count }

  /// How many bytes a reply has, where no line ending tells.
  var replyLength: Int {
    switch expectation {
    case .echo: size
    case .text(let bytes): bytes.count
    // Of lines alone: `ScriptOptions`.
    case .any: 1
    }
  }

  /// Appends a message as it goes over the wire.
  func write(_ message: Int, of connection: Int, into output: inout [UInt8]) {
    if isNumbered {
      append(connection, to: &output)
      append(message, to: &output)
      output.append(contentsOf: body[Self.numbersLength...])
    } else {
      output.append(contentsOf: body)
    }
    if !isBytes { output += [0x0d, 0x0a] }
  }

  private func append(_ number: Int, to output: inout [UInt8]) {
    let start = output.count
    output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: Self.width + 1))
    var rest = number
    for place in stride(from: start + Self.width - 1, through: start, by: -1) {
      output[place] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }

  /// Whether the first `count` bytes of what has come are the right reply to a message.
  func isRight(_ reply: borrowing ReceiveBuffer, _ count: Int, to message: Int, of connection: Int) -> Bool {
    switch expectation {
    case .any: return true
    case .text(let bytes): return count >= bytes.count && matches(bytes[...], reply, from: 0)
    case .echo:
      guard count == size else { return false }
      guard isNumbered else { return matches(body[...], reply, from: 0) }
      return matches(connection, reply, from: 0) && matches(message, reply, from: Self.width + 1)
        && matches(body[Self.numbersLength...], reply, from: Self.numbersLength)
    }
  }

  private func matches(_ bytes: ArraySlice<UInt8>, _ reply: borrowing ReceiveBuffer, from start: Int) -> Bool
  {
    var place = start
    for byte in bytes {
      if reply[place] != byte { return false }
      place &+= 1
    }
    return true
  }

  private func matches(_ number: Int, _ reply: borrowing ReceiveBuffer, from start: Int) -> Bool {
    var rest = number
    for place in stride(from: start + Self.width - 1, through: start, by: -1) {
      if reply[place] != UInt8(ascii: "0") + UInt8(rest % 10) { return false }
      rest /= 10
    }
    return reply[start + Self.width] == UInt8(ascii: " ")
  }

  /// What was to come, for people.
  func expected(for message: Int, of connection: Int) -> String {
    switch expectation {
    case .any: return "anything"
    case .text(let bytes): return Escapes.quoted(bytes)
    case .echo:
      var bytes: [UInt8] = []
      write(message, of: connection, into: &bytes)
      return Escapes.quoted(isBytes ? bytes : bytes.dropLast(2))
    }
  }
}
