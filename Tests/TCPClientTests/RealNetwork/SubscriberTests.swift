import Glibc
import Peers
import TestHarness
import Testing

@Suite("The example subscriber", .timeLimit(.minutes(4)))
struct SubscriberTests {
  @Test("keeps its subscriptions when its server restarts, and ends when it is told to")
  func restarts() async throws {
    try await withTestServer(framing: .lines) { server in
      let arguments = ["--pause", "0.01", "127.0.0.1", "\(server.port)", "news", "weather"]
      try await withChildProcess(builtExecutable("subscriber"), arguments) { process in
        for round in 1...3 {
          let peer = try await server.accept()
          try await peer.expect("SUBSCRIBE news")
          try await peer.expect("SUBSCRIBE weather")
          try await peer.send("round \(round)")
          #expect(try await process.readLine() == "round \(round)")
          if round < 3 { try await server.restart() }
        }
        process.signal(SIGTERM)
        #expect(try await process.waitForExit() == .exited(0))
        let told = process.errorOutput
        #expect(told.contains("healthy (attempt 1, 127.0.0.1:\(server.port))"))
        #expect(told.contains("ended (attempt 1, 127.0.0.1:\(server.port)): "))
        #expect(told.hasSuffix("ended: cancelled\n"))
      }
    }
  }

  @Test("says how it is used, and what cannot work")
  func usage() async throws {
    for arguments in [[], ["localhost", "7000"], ["--pause", "-1", "localhost", "7000", "news"]] {
      try await withChildProcess(builtExecutable("subscriber"), arguments) { process in
        let status = try await process.waitForExit()
        #expect(status == .exited(2))
        #expect(process.errorOutput.hasPrefix("usage: subscriber"))
      }
    }
    try await withChildProcess(builtExecutable("subscriber"), ["localhost", "0", "news"]) { process in
      let status = try await process.waitForExit()
      #expect(status == .exited(1))
      #expect(process.errorOutput.contains("is 0, where nobody can listen"))
    }
  }
}
