import Framing
import Testing

@testable import swarm

@Suite("What is sent, and which replies are right")
struct ExchangeTests {
  /// All replies in a stream that comes in pieces of that size.
  private func replies(
    _ script: Script, _ stream: String, pieces size: Int, connection: Int = 1, finishes: Bool = false
  ) throws -> [Exchange.Reply] {
    var decoder = Exchange(script: script, connection: connection).makeDecoder()
    var buffer = ReceiveBuffer()
    var replies: [Exchange.Reply] = []
    let bytes = Array(stream.utf8)
    for start in stride(from: 0, to: bytes.count, by: size) {
      buffer.append(contentsOf: bytes[start..<min(bytes.count, start + size)])
      while let reply = try decoder.decode(&buffer) { replies.append(reply) }
    }
    if finishes { while let reply = try decoder.finish(&buffer) { replies.append(reply) } }
    return replies
  }

  private func sent(_ script: Script, message: Int = 1, connection: Int = 1) throws -> String {
    let encoder = Exchange(script: script, connection: connection).makeEncoder()
    var bytes: [UInt8] = []
    try encoder.encode(message, into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("a line says who it is, has its size, and ends in CR LF")
  func numbered() throws {
    let script = Script(.numbered(size: 20), expecting: .echo)
    #expect(try sent(script, message: 12, connection: 345) == "0000345 0000012 qrst\r\n")
    #expect(try sent(Script(.numbered(size: 3), expecting: .echo)) == "abc\r\n")
    #expect(try sent(Script(.text([1, 2]), expecting: .any, isBytes: true)) == "\u{1}\u{2}")
    #expect(script.expected(for: 12, of: 345) == "\"0000345 0000012 qrst\"")
  }

  @Test("an echo is right, one of another message or connection is not", arguments: [1, 2, 7, 1000])
  func echo(pieces: Int) throws {
    let script = Script(.numbered(size: 20), expecting: .echo)
    let stream =
      "0000001 0000001 qrst\r\n0000001 0000002 qrst\n0000002 0000003 qrst\n0000001 0000003 qrst\n"
      + "0000001 0000005 qrsX\n0000001 0000006 qrs\n"
    func wrong(_ text: String) -> Exchange.Reply { .wrong(Array(text.utf8)) }
    #expect(
      try replies(script, stream, pieces: pieces) == [
        .right, .right, wrong("0000002 0000003 qrst"), wrong("0000001 0000003 qrst"),
        wrong("0000001 0000005 qrsX"), wrong("0000001 0000006 qrs"),
      ])
  }

  @Test("a text is what a reply begins with", arguments: [1, 3, 1000])
  func prefix(pieces: Int) throws {
    let script = Script(.text([]), expecting: .text(Array("+PO".utf8)))
    #expect(
      try replies(script, "+PONG\r\n+PO\n+P\n\n", pieces: pieces)
        == [.right, .right, .wrong(Array("+P".utf8)), .wrong([])])
    #expect(try replies(Script(.text([]), expecting: .any), "x\n\n", pieces: pieces) == [.right, .right])
  }

  @Test("a reply of several lines is judged by its first, and ends with its last", arguments: [1, 3, 1000])
  func severalLines(pieces: Int) throws {
    let script = Script(.text([]), expecting: .text(Array("HTTP/1.1 200".utf8)), until: [])
    let stream = "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nHTTP/1.1 404 no\r\nHTTP/1.1 200\r\n\r\nHTTP/1.1 200"
    #expect(
      try replies(script, stream, pieces: pieces) == [.right, .wrong(Array("HTTP/1.1 404 no".utf8))])
  }

  @Test("bytes are as many as were to come", arguments: [1, 2, 1000])
  func bytes(pieces: Int) throws {
    let script = Script(.text([1]), expecting: .text(Array("ab".utf8)), isBytes: true)
    #expect(
      try replies(script, "ababacab", pieces: pieces) == [.right, .right, .wrong(Array("ac".utf8)), .right])
    let echo = Script(.text(Array("xyz".utf8)), expecting: .echo, isBytes: true)
    #expect(try replies(echo, "xyzxyzx", pieces: pieces) == [.right, .right])
  }

  @Test("a last line without its ending counts, and a line without end is an error")
  func ends() throws {
    let script = Script(.text([]), expecting: .text([97]))
    #expect(try replies(script, "a\nab", pieces: 1, finishes: true) == [.right, .right])
    #expect(throws: FramingError.self) {
      try replies(script, String(repeating: "a", count: 70_000), pieces: 10_000)
    }
    // The longest there may be, whose LF comes by itself.
    let longest = String(repeating: "a", count: script.lineLimit)
    #expect(try replies(script, longest + "\r\n", pieces: script.lineLimit + 1) == [.right])
  }
}
