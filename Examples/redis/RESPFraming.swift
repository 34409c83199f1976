import TCPClient

/// A value of Redis's protocol, RESP2.
enum RESP: Hashable, Sendable {
  case text(String), error(String), integer(Int), bulk([UInt8]?), array([RESP]?)
}

/// Commands out, values in; values of up to 1 MiB.
struct RESPFraming: Framing {
  func makeDecoder() -> FailStopDecoder<Parser> { FailStopDecoder(Parser()) }
  func makeEncoder() -> Encoder { Encoder() }

  /// A command is an array of bulk strings. An empty one has no reply, which would shift those of all others.
  struct Encoder: FrameEncoder {
    func encode(_ command: [String], into output: inout [UInt8]) throws(FramingError) {
      if command.isEmpty { throw .unencodable("a command needs at least 1 word") }
      output += "*\(command.count)\r\n".utf8
      for word in command { output += "$\(word.utf8.count)\r\n\(word)\r\n".utf8 }
    }
  }

  /// Knows how far it has come in a value, so that many small pieces take linear time. The bytes stay in the buffer until
  /// the value is whole.
  struct Parser: FrameDecoder {
    private let limit = 1 << 20
    private var (position, searched) = (0, 0)
    /// The arrays around the position, the innermost last.
    private var open: [(missing: Int, values: [RESP])] = []

    mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> RESP? {
      while let (kind, text, end) = try line(buffer) {
        var next = end
        var value: RESP?
        switch kind {
        case "+": value = .text(text)
        case "-": value = .error(text)
        case ":": value = .integer(try number(text, from: .min, buffer))
        case "$":
          let count = try number(text, from: -1, buffer)
          guard count <= limit - end - 2 else { throw malformed("more than 1 MiB", buffer) }
          if count >= 0 { next = end + count + 2 }
          guard buffer.count >= next else { return nil }
          guard buffer[next - 2] == 13, buffer[next - 1] == 10 else { throw malformed("no CRLF", buffer) }
          value = .bulk(count < 0 ? nil : (end..<end + count).map { buffer[$0] })
        case "*":
          let count = try number(text, from: -1, buffer)
          if count <= 0 { value = .array(count < 0 ? nil : []) } else { open.append((count, [])) }
          if open.count > 32 { throw malformed("33 arrays in each other", buffer) }
        default: throw malformed("a value begins with \(kind.debugDescription)", buffer)
        }
        (position, searched) = (next, next)
        guard let value, let whole = close(value) else { continue }
        buffer.consume(position)
        (position, searched) = (0, 0)
        return whole
      }
      return nil
    }

    /// Puts a value into its array; answers the outermost one once that is whole.
    private mutating func close(_ value: RESP) -> RESP? {
      var value = value
      while let last = open.indices.last {
        open[last].values.append(value)
        open[last].missing -= 1
        if open[last].missing > 0 { return nil }
        value = .array(open.removeLast().values)
      }
      return value
    }

    /// The line at the position: its first character, the rest, and where the next begins.
    private mutating func line(_ buffer: ReceiveBuffer) throws(FramingError) -> (Character, String, end: Int)?
    {
      let found = buffer.firstIndex(of: 13, from: searched)
      searched = found ?? buffer.count
      guard searched + 2 <= limit else { throw malformed("more than 1 MiB", buffer) }
      guard let found, found + 1 < buffer.count else { return nil }
      let text = String(decoding: (position..<found).map { buffer[$0] }, as: UTF8.self)
      guard buffer[found + 1] == 10, let kind = text.first else { throw malformed("a bad line", buffer) }
      return (kind, String(text.dropFirst()), found + 2)
    }

    private func number(_ text: String, from least: Int, _ buffer: ReceiveBuffer) throws(FramingError) -> Int
    {
      // A longer line would be read anew with each piece of the value that it announces.
      if text.utf8.count <= 20, let number = Int(text), number >= least { return number }
      throw malformed("\(text.prefix(20).debugDescription) is no number", buffer)
    }

    private func malformed(_ problem: String, _ buffer: ReceiveBuffer) -> FramingError {
      .malformed(problem, offset: buffer.offset + UInt64(position))
    }
  }
}
