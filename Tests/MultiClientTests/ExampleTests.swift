import MultiClient
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("The example sweep", .timeLimit(.minutes(2)))
struct ExampleTests {
  @Test("prints who greets, and what it has done")
  func sweep() async throws {
    try await withServer {
      try await $0.send("220 welcome")
    } body: { server in
      let port = server.address.port ?? 0
      let sweep = try builtExecutable("sweep")
      try await withChildProcess(sweep, ["\(port)"]) { process in
        let greeting = try await process.readLine()
        #expect(greeting == "127.0.0.1:\(port) 220 welcome")
        let statistics = try await process.readLine()
        #expect(statistics.hasPrefix("0 waiting, 0 connecting, 0 open, 1 ended"))
        let status = try await process.waitForExit()
        #expect(status == .exited(0))
      }
    }
  }
}
