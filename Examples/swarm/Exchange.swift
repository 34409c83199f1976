import Framing

/// Messages out, judged replies in.
///
/// A codec of its own, so that nothing is allocated for a message: what is sent is written into the output, and what
/// comes is compared where it lies. Only a wrong reply is copied.
struct Exchange: Framing {
  let script: Script
  /// From 1 on, as messages are numbered.
  var connection = 1

  /// A whole reply.
  enum Reply: Sendable, Equatable, CustomStringConvertible {
    case right
    /// It began so.
    case wrong([UInt8])

    var description: String {
      switch self {
      case .right: "one more right reply"
      case .wrong(let bytes): Escapes.quoted(bytes)
      }
    }
  }

  func makeDecoder() -> Decoder { Decoder(script: script, connection: connection) }

  func makeEncoder() -> Encoder { Encoder(script: script, connection: connection) }

  /// Writes messages, by their numbers.
  struct Encoder: FrameEncoder {
    let script: Script
    let connection: Int

    func encode(_ message: Int, into output: inout [UInt8]) throws(FramingError) {
      script.write(message, of: connection, into: &output)
    }
  }

  /// Judges replies, which come in the order of the messages.
  struct Decoder: FrameDecoder {
    private static let shown = 200

    let script: Script
    let connection: Int
    /// What the next reply is to; 0 for the greeting.
    private var message: Int
    /// What is known of a reply of several lines after the first.
    private var verdict: Reply?

    init(script: Script, connection: Int) {
      self.script = script
      self.connection = connection
      message = script.isGreeted ? 0 : 1
    }

    mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Reply? {
      script.isBytes ? nextBytes(&buffer) : try nextLines(&buffer)
    }

    /// What ends without a line feed is a line as well.
    mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Reply? {
      if let reply = try decode(&buffer) { return reply }
      guard !buffer.isEmpty else { return nil }
      return judgeLine(&buffer, buffer.count, consuming: buffer.count)
    }

    private mutating func nextBytes(_ buffer: inout ReceiveBuffer) -> Reply? {
      let length = script.replyLength
      guard buffer.count >= length else { return nil }
      let reply = judge(buffer, length)
      buffer.consume(length)
      message += 1
      return reply
    }

    private mutating func nextLines(_ buffer: inout ReceiveBuffer) throws(FramingError) -> Reply? {
      while true {
        guard let end = buffer.firstIndex(of: Script.newline, from: buffer.searched) else {
          // With the CR, whose LF is still on its way.
          guard buffer.count <= script.lineLimit + 1 else {
            throw .tooLong(limit: script.lineLimit, seen: buffer.count, offset: buffer.offset)
          }
          buffer.searched = buffer.count
          return nil
        }
        let count = end > 0 && buffer[end - 1] == 0x0d ? end - 1 : end
        if let reply = judgeLine(&buffer, count, consuming: end + 1) { return reply }
      }
    }

    private mutating func judgeLine(
      _ buffer: inout ReceiveBuffer, _ count: Int, consuming length: Int
    ) -> Reply? {
      let reply = verdict ?? judge(buffer, count)
      let isLast =
        message == 0 || script.end.map { $0.count == count && buffer.begins(with: $0) } ?? true
      buffer.consume(length)
      verdict = isLast ? nil : reply
      guard isLast else { return nil }
      message += 1
      return reply
    }

    private func judge(_ buffer: borrowing ReceiveBuffer, _ count: Int) -> Reply {
      message == 0 || script.isRight(buffer, count, to: message, of: connection)
        ? .right : .wrong(buffer.prefix(min(count, Self.shown)))
    }
  }
}

extension ReceiveBuffer {
  /// Whether its first bytes are these, of which it has enough.
  fileprivate func begins(with bytes: [UInt8]) -> Bool {
    for (place, byte) in bytes.enumerated() where self[place] != byte { return false }
    return true
  }
}
