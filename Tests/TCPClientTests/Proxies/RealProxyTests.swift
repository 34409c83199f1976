import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@testable import TCPClient

@Suite("Proxies that others have written", .timeLimit(.minutes(4))) struct RealProxyTests {
  private static let credentials = Proxy.Credentials(username: "me", password: "secret")

  /// A server that speaks first, and then sends back what it gets, on both families.
  private func withTarget(_ body: @escaping (UInt16) async throws -> Void) async throws {
    try await withTestServer(
      .handler { peer in
        try await peer.send("220 welcome")
        while let line = try await peer.next() { try await peer.send(line) }
      }, framing: .lines
    ) { try await body($0.port) }
  }

  private func converse(with host: String, _ port: UInt16, through proxy: Proxy) async throws {
    try await Connector().withConnection(to: host, port: port, through: proxy) { raw in
      let connection = raw.framed(.lines)
      let (welcome, echo) = (try await connection.next(), try await connection.request("hello"))
      #expect(welcome == "220 welcome" && echo == "hello")
    }
  }

  private func reason(_ host: String, _ port: UInt16, through proxy: Proxy) async throws -> ProxyError.Reason?
  {
    do {
      try await Connector().connect(to: host, port: port, through: proxy).abort()
      return nil
    } catch let error as ProxyError {
      return error.reason
    }
  }

  @Test(
    "microsocks connects to names and addresses of both families, with a password and without",
    .enabled("microsocks is not installed") { await isInstalled("microsocks") })
  func microsocks() async throws {
    try await withTarget { port in
      for credentials in [nil, Self.credentials] {
        let arguments = credentials.map { ["-u", $0.username, "-P", $0.password] } ?? []
        try await withProgram(
          "microsocks", arguments: { ["-i", $0.host, "-p", "\($0.port ?? 0)"] + arguments }
        ) {
          let proxy = Proxy.socks5(at: $0, credentials: credentials)
          for host in ["localhost", "127.0.0.1", "::1"] {
            for _ in 0..<5 { try await converse(with: host, port, through: proxy) }
          }
          let closed = try ReservedPort()
          let refused = try await reason("127.0.0.1", closed.number, through: proxy)
          #expect(refused == .refused(.connectionRefused))
          guard credentials != nil else { return }
          #expect(try await reason("127.0.0.1", port, through: .socks5(at: $0)) == .credentialsRequired)
          let wrong = Proxy.socks5(at: $0, credentials: .init(username: "me", password: "wrong"))
          #expect(try await reason("127.0.0.1", port, through: wrong) == .credentialsRejected)
        }
      }
    }
  }

  @Test(
    "tinyproxy connects to names and addresses of both families, with a password and without",
    .enabled("tinyproxy is not installed") { await isInstalled("tinyproxy") })
  func tinyproxy() async throws {
    try await withTarget { port in
      for credentials in [nil, Self.credentials] {
        try await withProgram(
          // It reads its configuration from a file that it cannot be handed as its input.
          "sh",
          arguments: { _ in
            ["-c", "f=$(mktemp) && cat >$f && exec 9<$f && rm $f && exec tinyproxy -d -c /proc/self/fd/9"]
          },
          input: { address in
            """
            Port \(address.port ?? 0)
            Listen \(address.host)
            Timeout 60
            \(credentials.map { "BasicAuth \($0.username) \($0.password)" } ?? "")
            """
          }
        ) {
          let proxy = Proxy.http(at: $0, credentials: credentials)
          for host in ["localhost", "127.0.0.1", "::1"] {
            for _ in 0..<5 { try await converse(with: host, port, through: proxy) }
          }
          let closed = try ReservedPort()
          guard case .status(500..., _) = try await reason("127.0.0.1", closed.number, through: proxy) else {
            Issue.record("a port where nobody listens")
            return
          }
          guard credentials != nil else { return }
          guard case .status(407, _) = try await reason("127.0.0.1", port, through: .http(at: $0)) else {
            Issue.record("no credentials")
            return
          }
        }
      }
    }
  }
}
