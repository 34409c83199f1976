import AsyncSockets
import Framing
import Testing

@testable import TCPClient

@Suite("HTTP CONNECT (RFC 9110 §9.3.6)") struct HTTPConnectHandshakeTests {
  private func handshake(
    to host: String = "db.test", credentials: Proxy.Credentials? = nil
  ) throws -> HTTPConnectHandshake {
    try HTTPConnectHandshake(for: ProxyTarget(host: host, port: 5432), credentials: credentials)
  }

  private func result(_ answer: String, ends: Bool = false) throws -> Handshaking {
    Handshaking(try handshake(), reads: [Array(answer.utf8)], ends: ends)
  }

  @Test("the request names the target twice, and the credentials in Basic")
  func request() throws {
    let plain = "CONNECT db.test:5432 HTTP/1.1\r\nHost: db.test:5432\r\n\r\n"
    #expect(try handshake().greeting == Array(plain.utf8))
    let address = "CONNECT [2001:db8::7]:5432 HTTP/1.1\r\nHost: [2001:db8::7]:5432\r\n\r\n"
    #expect(try handshake(to: "2001:db8:0::7").greeting == Array(address.utf8))
    // The example of RFC 7617 §2.
    let credentials = Proxy.Credentials(username: "Aladdin", password: "open sesame")
    let text = String(decoding: try handshake(credentials: credentials).greeting, as: UTF8.self)
    #expect(text.hasSuffix("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"))
  }

  @Test(
    "base64 is that of RFC 4648 §10",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func base64OfTheRFC(text: String, expected: String) {
    #expect(base64(Array(text.utf8)) == expected)
  }

  @Test(
    "any 2xx opens the way, whatever the fields say, at every split; what follows is the target's",
    arguments: [
      "HTTP/1.1 200 Connection established\r\n\r\n", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
      "HTTP/1.1 299\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n", "HTTP/1.1 204 \n\n",
      "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ])
  func established(answer: String) throws {
    let target = Array("\r\n\0+OK\r\n".utf8)
    for reads in everyCut(of: Array(answer.utf8) + target) {
      let result = Handshaking(try handshake(), reads: reads)
      #expect(result.steps == [.established] && result.leftover == target && result.error == nil)
    }
  }

  @Test(
    "any other status is told with its line",
    arguments: [
      (101, "HTTP/1.1 101 Switching Protocols"), (301, "HTTP/1.1 301 Moved"), (403, "HTTP/1.1 403 Forbidden"),
      (407, "HTTP/1.1 407 Proxy Authentication Required"), (502, "HTTP/1.0 502"), (999, "HTTP/1.1 999 ?"),
    ])
  func refused(code: Int, line: String) throws {
    for reads in everyCut(of: Array("\(line)\r\nX: y\r\n\r\nbody".utf8)) {
      #expect(Handshaking(try handshake(), reads: reads).end == .refused(.status(code, line: line)))
    }
  }

  @Test("what is printed of a status line is short, and has no control characters")
  func harmlessLine() throws {
    let line = "HTTP/1.1 500 \u{1B}[2J" + String(repeating: "x", count: 1000)
    guard case .refused(.status(500, let shown)) = try result(line + "\n").end else {
      Issue.record("it is not refused")
      return
    }
    #expect(shown.hasPrefix("HTTP/1.1 500 ?[2Jxxx") && shown.utf8.count == 200)
  }

  @Test(
    "what is no status line is an error that quotes it",
    arguments: [
      "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 2x0 OK", "HTTP/1.1  200 OK", "HTTP/1.1",
      "HTTP/1.x 200 OK", "HTTP/1.1 200OK", "HTTP/1.1 099 OK", "HTTP/1.12 200 OK",
    ])
  func malformed(line: String) throws {
    for reads in everyCut(of: Array("\(line)\r\n\r\n".utf8)) {
      let error = Handshaking(try handshake(), reads: reads).error
      #expect(error == .malformed("the status line \"\(line)\"", offset: 0))
    }
  }

  @Test(
    "who speaks another protocol is found out by the first byte that differs, though no line ends",
    arguments: ["\u{5}\u{0}", "SSH-2.0-x", "HTTP/2 200", "http/1.1", "\r\n"])
  func otherProtocol(beginning: String) throws {
    #expect(
      try result(beginning).error
        == .malformed("an answer begins with HTTP/1., and this one does not", offset: 0))
  }

  @Test("every other value of every byte of an answer is taken, refused or an error, whatever the splits")
  func damage() throws {
    let bytes = Array("HTTP/1.1 200 OK\r\nA: b\r\n\r\n".utf8)
    for index in bytes.indices {
      for value in 0...255 as ClosedRange<UInt8> {
        var damaged = bytes
        damaged[index] = value
        let whole = Handshaking(try handshake(), reads: [damaged])
        let byByte = Handshaking(try handshake(), reads: damaged.map { [$0] })
        #expect(byByte.steps == whole.steps && byByte.error == whole.error)
        // The version and the digits decide; the rest can only make the answer longer or shorter.
        if (8...12).contains(index) { continue }
        if index < 7 { #expect((whole.error == nil) == (value == bytes[index])) }
        if index > 12 { #expect(whole.error == nil && !whole.steps.contains { $0 != .established }) }
      }
    }
  }

  @Test("an answer that does not end is refused at 16,384 bytes, in lines or without, at any split")
  func bounded() throws {
    let tooLong = FramingError.tooLong(limit: 16_384, seen: 16_385, offset: 0)
    let status = "HTTP/1.1 200 OK\r\n"
    let forms = [
      "HTTP/1.1 " + String(repeating: "2", count: 20_000), status + String(repeating: "x", count: 20_000),
      status + String(repeating: "x: y\r\n", count: 4_000),
      String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 1_000),
    ]
    for form in forms {
      let bytes = Array(form.utf8)
      #expect(Handshaking(try handshake(), reads: [bytes]).error == tooLong)
      #expect(Handshaking(try handshake(), reads: bytes.map { [$0] }).error == tooLong)
    }
    let fields = String(repeating: "x", count: 16_384 - status.utf8.count - 4)
    #expect(try result(status + fields + "\r\n\r\n").end == .established)
    #expect(try result(status + fields + "x\r\n\r\n").error == tooLong)
  }

  @Test("an answer that is cut short is none")
  func truncated() throws {
    let bytes = "HTTP/1.1 200 OK\r\nA: b\r"
    #expect(try result(bytes, ends: true).error == .truncated(held: 5, offset: 17))
  }

  @Test(
    "credentials that Basic cannot carry are refused",
    arguments: [("a:b", "x"), ("a\r\nX: y", "x"), ("a", "\n"), ("a", "\u{7F}")])
  func badCredentials(username: String, password: String) {
    let credentials = Proxy.Credentials(username: username, password: password)
    #expect(throws: SocketError.self) { try handshake(credentials: credentials) }
    #expect(throws: Never.self) { try handshake(credentials: .init(username: "ä", password: "a:b")) }
  }
}
