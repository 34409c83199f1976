import AsyncSockets
import Framing
import Testing

@testable import TCPClient

@Suite("SOCKS5 (RFC 1928, 1929)") struct SOCKS5HandshakeTests {
  private static let credentials = Proxy.Credentials(username: "me", password: "secret")
  private static let authentication = [1, 2] + Array("me".utf8) + [6] + Array("secret".utf8)
  private static let request = [5, 1, 0, 3, 7] + Array("db.test".utf8) + [0x15, 0x38]
  private static let success: [UInt8] = [5, 0, 0, 1, 127, 0, 0, 1, 4, 56]

  private func handshake(
    to host: String = "db.test", credentials: Proxy.Credentials? = nil
  ) throws -> SOCKS5Handshake {
    try SOCKS5Handshake(for: ProxyTarget(host: host, port: 5432), credentials: credentials)
  }

  @Test("the client offers no authentication, and a password only if it has one")
  func methods() throws {
    #expect(try handshake().greeting == [5, 1, 0])
    #expect(try handshake(credentials: Self.credentials).greeting == [5, 2, 0, 2])
  }

  @Test(
    "a target is asked for by its name, unresolved, or by its address",
    arguments: [
      ("db.test", [3, 7] + Array("db.test".utf8)), ("192.0.2.7", [1, 192, 0, 2, 7]),
      ("2001:db8::7", [4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]),
      ("::ffff:192.0.2.7", [1, 192, 0, 2, 7]),
    ])
  func targets(host: String, address: [UInt8]) throws {
    let steps = Handshaking(try handshake(to: host), reads: [[5, 0]]).steps
    #expect(steps == [.send([5, 1, 0] + address + [0x15, 0x38])])
  }

  @Test("without a password: the same at every split, and what follows is the target's")
  func plain() throws {
    for reads in everySplit(of: [5, 0] + Self.success + [42]) {
      let result = Handshaking(try handshake(), reads: reads)
      #expect(result.steps == [.send(Self.request), .established])
      #expect(result.leftover == [42] && result.error == nil)
    }
  }

  @Test("with a password: the same at every split")
  func password() throws {
    let bytes = [5, 2, 1, 0, 5, 0, 0, 3, 1, 65, 1, 2, 42] as [UInt8]
    for reads in everySplit(of: bytes) {
      let result = Handshaking(try handshake(credentials: Self.credentials), reads: reads)
      #expect(result.steps == [.send(Self.authentication), .send(Self.request), .established])
      #expect(result.leftover == [42])
    }
  }

  @Test("a proxy that wants no password though there is one gets none")
  func passwordNotWanted() throws {
    let result = Handshaking(try handshake(credentials: Self.credentials), reads: [[5, 0], Self.success])
    #expect(result.steps == [.send(Self.request), .established])
  }

  @Test("the address in the reply may be of any kind, and of any length")
  func boundAddresses() throws {
    let names = [0, 1, 2, 7, 254, 255].map { [3, UInt8($0)] + [UInt8](repeating: 7, count: $0) }
    for address in names + [[4] + [UInt8](repeating: 7, count: 16)] {
      let reply = [5, 0, 0] + address + [1, 2]
      for reads in everyCut(of: [5, 0] + reply) {
        #expect(Handshaking(try handshake(), reads: reads).end == .established)
        #expect(Handshaking(try handshake(), reads: reads).leftover.isEmpty)
      }
      let short = Handshaking(try handshake(), reads: [[5, 0], reply.dropLast()], ends: true)
      #expect(short.error == .truncated(held: reply.count - 1, offset: 2))
    }
  }

  @Test("each reply that is not success is told by its name, though the rest of it never comes")
  func replies() throws {
    for code in 1...255 as ClosedRange<UInt8> {
      let result = Handshaking(try handshake(), reads: [[5, 0, 5, code]])
      #expect(result.end == .refused(.refused(SOCKS5Reply(rawValue: code))))
    }
    let names = (0...9).map { SOCKS5Reply(rawValue: $0).description }
    #expect(
      names == [
        "succeeded (0)", "general SOCKS server failure (1)", "connection not allowed by ruleset (2)",
        "network unreachable (3)", "host unreachable (4)", "connection refused (5)", "TTL expired (6)",
        "command not supported (7)", "address type not supported (8)", "unassigned reply (9)",
      ])
  }

  @Test("a proxy that does not let the client in says so in its own way")
  func refusals() throws {
    func end(_ bytes: [UInt8], _ credentials: Proxy.Credentials?) throws -> ProxyStep? {
      Handshaking(try handshake(credentials: credentials), reads: [bytes]).end
    }
    #expect(try end([5, 0xFF], nil) == .refused(.credentialsRequired))
    #expect(try end([5, 0xFF], Self.credentials) == .refused(.noAuthenticationInCommon))
    for status in 1...255 as ClosedRange<UInt8> {
      #expect(try end([5, 2, 1, status], Self.credentials) == .refused(.credentialsRejected))
    }
  }

  @Test("every other value of every byte is taken, refused or named with its place")
  func damage() throws {
    let bytes = [5, 2, 1, 0] + Self.success
    for index in bytes.indices {
      for value in 0...255 as ClosedRange<UInt8> where value != bytes[index] {
        var damaged = bytes
        damaged[index] = value
        let result = Handshaking(try handshake(credentials: Self.credentials), reads: [damaged])
        let byByte = Handshaking(
          try handshake(credentials: Self.credentials), reads: damaged.map { [$0] })
        #expect(byByte.steps == result.steps && byByte.error == result.error)
        switch index {
        case 0, 2, 4:
          guard case .malformed(_, UInt64(index)) = result.error else {
            Issue.record("\(value) at \(index): \(result)")
            continue
          }
        // No password after all, and the proxy speaks of something else.
        case 1 where value == 0: #expect(result.error == .malformed("the version is 1, not 5", offset: 2))
        case 1 where value == 0xFF: #expect(result.end == .refused(.noAuthenticationInCommon))
        case 1:
          #expect(result.error == .malformed("authentication method \(value) was not offered", offset: 1))
        case 3: #expect(result.end == .refused(.credentialsRejected))
        case 5: #expect(result.end == .refused(.refused(SOCKS5Reply(rawValue: value))))
        case 7 where value == 3 || value == 4:
          #expect(result.steps.count == 2 && result.error == nil, "the reply is longer now")
        case 7:
          #expect(
            result.error == .malformed("address type \(value) is none of 1, 3 and 4", offset: 7))
        default: #expect(result.end == .established)
        }
      }
    }
  }

  @Test("nothing is kept beyond the longest reply")
  func bounded() throws {
    let longest = [5, 0, 0, 3, 255] + [UInt8](repeating: 5, count: 100_000)
    let result = Handshaking(try handshake(), reads: [[5, 0]] + longest.map { [$0] })
    #expect(result.end == .established)
    #expect(result.leftover.count == 100_000 - 257)
  }

  @Test(
    "credentials that SOCKS5 cannot carry are refused, with their lengths",
    arguments: [
      ("", "x"), ("x", ""), (String(repeating: "x", count: 256), "x"),
      ("x", String(repeating: "ü", count: 128)),
    ])
  func badCredentials(username: String, password: String) {
    let credentials = Proxy.Credentials(username: username, password: password)
    let error = #expect(throws: SocketError.self) { try handshake(credentials: credentials) }
    #expect(error?.description.contains("\(username.utf8.count) and \(password.utf8.count)") == true)
  }
}
