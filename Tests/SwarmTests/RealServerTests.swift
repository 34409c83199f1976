import MultiClient
import Peers
import Testing

@testable import swarm

@Suite("The program against servers that others have written", .timeLimit(.minutes(4)))
struct RealServerTests {
  @Test(
    "redis answers PING, in lines and in bytes",
    .enabled("redis is not installed") { await isInstalled("redis-server") })
  func redis() async throws {
    try await withRedis { server in
      let ran = try await swarm(
        "--connect", server, "--send", "PING", "--expect", "+PONG", "--connections", "50", "--messages", "10")
      #expect(ran.status == .exited(0), "\(ran.output)\(ran.errors)")
      #expect(ran.output.contains("500 sent, 500 replies right\n"))

      let bytes = try await swarm(
        "--connect", server, "--hex", "--send", "50494e470d0a", "--expect", "2b504f4e470d0a", "--connections",
        "5", "--messages", "10")
      #expect(bytes.status == .exited(0), "\(bytes.output)\(bytes.errors)")

      let wrong = try await swarm(
        "--connect", server, "--send", "GNIP", "--expect", "+PONG", "--connections", "5", "--messages", "2")
      #expect(wrong.status == .exited(1))
      #expect(wrong.output.contains("\n10 errors\n  10  wrong reply\n"))
      #expect(wrong.output.contains("expected \"+PONG\", got \"-ERR unknown command"))
    }
  }

  @Test(
    "nginx answers requests of several lines by replies of several lines",
    .enabled("nginx is not installed") { await isInstalled("nginx") })
  func nginx() async throws {
    try await withNginx { server in
      let arguments = [
        "--connect", server, "--send", #"GET / HTTP/1.1\r\nHost: x\r\n"#, "--until", "", "--connections",
        "20",
        "--messages", "10",
      ]
      let ran = try await swarm(arguments + ["--expect", "HTTP/1.1 204"])
      #expect(ran.status == .exited(0), "\(ran.output)\(ran.errors)")
      #expect(ran.output.contains("200 sent, 200 replies right\n"))

      let wrong = try await swarm(arguments + ["--expect", "HTTP/1.1 200"])
      #expect(wrong.status == .exited(1))
      #expect(wrong.output.contains("expected \"HTTP/1.1 200\", got \"HTTP/1.1 204 No Content\"\n"))
    }
  }
}
