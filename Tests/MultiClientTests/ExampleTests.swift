import Peers
import Testing

@Suite("The example sweep", .timeLimit(.minutes(2)))
struct ExampleTests {
  @Test("prints who greets, and what it has done")
  func sweep() async throws {
    let listener = try BlockingListener()
    // On a thread of its own, so that a busy pool does not keep the greeting back for as long as the example waits.
    async let greeter: Void = try await onThread {
      let peer = try listener.accept()
      try peer.send("220 welcome\n")
      _ = try peer.receiveToEnd()
      peer.close()
    }
    try await withChildProcess(try builtExecutable("sweep"), ["\(listener.port)"]) { process in
      let greeting = try await process.readLine()
      #expect(greeting == "127.0.0.1:\(listener.port) 220 welcome")
      let statistics = try await process.readLine()
      #expect(statistics.hasPrefix("0 waiting, 0 connecting, 0 open, 1 ended"))
      let status = try await process.waitForExit()
      #expect(status == .exited(0))
    }
    try await greeter
  }
}
