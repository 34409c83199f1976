import Glibc
import Peers
import TestHarness
import Testing

@Suite("The example proxy", .serialized, .timeLimit(.minutes(4)))
struct ProxyTests {
  @Test(
    "stands between redis-cli and redis-server, for large values and thousands of pipelined commands",
    .enabled("redis is not installed") {
      await works("sh", ["-c", "command -v redis-server && command -v redis-cli"])
    })
  func redis() async throws {
    try await withRedis { redis in
      try await withProxy(to: "127.0.0.1:\(redis)") { proxy in
        func run(_ arguments: [String], input: String = "") async throws -> String {
          try await withChildProcess("redis-cli", ["-h", "127.0.0.1", "-p", "\(proxy.port)"] + arguments) {
            cli in
            async let sending: Void = {
              try await cli.send(input)
              cli.closeInput()
            }()
            let output = String(decoding: try await cli.readToEnd(), as: UTF8.self)
            try await sending
            #expect(try await cli.waitForExit() == .exited(0))
            return output
          }
        }
        let reply = try await run(["PING"])
        #expect(reply == "PONG\n")
        let value = String(repeating: "large value ", count: 250_000)
        #expect(try await run(["-x", "SET", "large"], input: value) == "OK\n")
        #expect(try await run(["STRLEN", "large"]) == "\(value.utf8.count)\n")
        #expect(try await run(["GET", "large"]) == value + "\n")
        let commands = String(repeating: "*2\r\n$4\r\nINCR\r\n$5\r\ncount\r\n", count: 20_000)
        #expect(try await run(["--pipe"], input: commands).contains("errors: 0, replies: 20000"))
        #expect(try await run(["GET", "count"]) == "20000\n")

        proxy.process.signal(SIGTERM)
        #expect(try await proxy.process.waitForExit() == .exited(0))
        #expect(proxy.process.errorOutput == "")
      }
    }
  }

  @Test("beside a reader that is stuck it stays small, and its other connections go on")
  func stuckReader() async throws {
    let source = try BlockingListener()
    try await withProxy(to: "127.0.0.1:\(source.port)") { proxy in
      let facts = ProcessFacts(id: proxy.process.id)
      let before = try facts.residentMemory
      var pairs: [(client: BlockingPeer, server: BlockingPeer)] = []
      for _ in 0..<8 {
        let client = try await proxy.connect(receiveBuffer: 4096)
        pairs.append((client, try await onThread { try source.accept() }))
      }
      // Until nothing more fits into what the kernel holds between the two.
      let block = [UInt8](repeating: 7, count: 1 << 20)
      for (_, server) in pairs {
        var sent = 0
        var pauses = 0
        while pauses < 3 {
          let count = try server.sendWithoutWaiting(block)
          sent += count
          try #require(sent < 100 << 20, "more than the kernel holds")
          if count > 0 { continue }
          pauses += 1
          // The others' answers show that the proxy has had its turn.
          let other = try await proxy.connect()
          let otherServer = try await onThread { try source.accept() }
          try await onThread {
            try otherServer.send("still here\n")
            try other.expectLine("still here")
          }
          other.close()
          otherServer.close()
        }
        #expect(sent > 65_536)
      }
      #expect(try facts.residentMemory - before < 8 << 20)
      for (client, server) in pairs {
        client.close()
        server.close()
      }
    }
  }

  @Test("a target that refuses ends the client's connection and is told on standard error")
  func refused() async throws {
    let nobody = try ReservedPort()
    try await withProxy(to: "127.0.0.1:\(nobody.number)") { proxy in
      let client = try await proxy.connect()
      try await onThread { try client.expectNothing() }
      try await eventually("the error is told") {
        proxy.process.errorOutput.contains("ECONNREFUSED")
          && proxy.process.errorOutput.contains("127.0.0.1:\(nobody.number)")
      }
    }
  }

  @Test("SIGTERM lets a conversation end, and a second one does not", arguments: [false, true])
  func graceful(isSignalledAgain: Bool) async throws {
    let target = try BlockingListener()
    try await withProxy(to: "localhost:\(target.port)") { proxy in
      let client = try await proxy.connect()
      let server = try await onThread { try target.accept() }
      try client.send("question\n")
      try await onThread { try server.expectLine("question") }
      proxy.process.signal(SIGTERM)
      // The end of the drained input.
      #expect(try await onThread { try server.receive(atMost: 1) } == [])
      if isSignalledAgain {
        proxy.process.signal(SIGTERM)
        try await onThread { try client.expectNothing() }
      } else {
        try server.send("answer\n")
        server.close()
        try await onThread { try client.expectEnd(after: "answer\n") }
      }
      #expect(try await proxy.process.waitForExit() == .exited(0))
    }
  }

  @Test(
    "a wrong command line is told how it is used, with status 2",
    arguments: [
      [], ["--listen", "80"], ["--listen", "x", "--to", "a:1"], ["--listen", "0", "--to", "a"],
      ["--listen", "0", "--to", "a:0"], ["--listen", "0", "--to", ":1"],
      ["--to", "a:1", "--listen", "0", "x"],
    ])
  func usage(_ arguments: [String]) async throws {
    try await withChildProcess(builtExecutable("proxy"), arguments) { process in
      let status = try await process.waitForExit()
      #expect(status == .exited(2))
      #expect(process.errorOutput == "usage: proxy --listen PORT --to HOST:PORT\n")
    }
  }
}

/// Runs `body` beside a redis-server, with its port.
private func withRedis(_ body: (UInt16) async throws -> Void) async throws {
  for attempt in 1... {
    // Redis wants to be told its port, and somebody else may have that by then.
    let port = try ReservedPort().number
    let arguments = ["--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    let isServed = try await withChildProcess("redis-server", arguments) { server in
      var output = ""
      while let line = try? await server.readLine() {
        output += line + "\n"
        guard line.contains("Ready to accept connections") else { continue }
        try await body(port)
        return true
      }
      guard attempt < 5 else { throw PeerError.invalid("redis-server says \(output)") }
      return false
    }
    if isServed { return }
  }
}
