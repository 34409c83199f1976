import Glibc
import MultiClient
import Peers
import TCPServer
import TestHarness
import Testing

/// Asks once, and stays.
private struct Stayer: ConnectionHandler {
  let question: String

  func connected(_ context: borrowing HandlerContext<LineFraming>) throws { try context.send(question) }

  func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) {}
}

@Suite("Thousands of connections", .thoroughOnly, .serialized, .timeLimit(.minutes(5)))
struct LoadTests {
  @Test("in one process with their server: all connect, all have their reply, and each has one outcome")
  func nineThousand() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        try await withServer(echo) { server in
          var configuration = MultiClientConfiguration()
          configuration.limits.open = 9000
          let client = try MultiClient<Asker>(framing: .lines, configuration: configuration)
          for _ in 0..<9000 {
            try await client.connect(to: server.address, Asker(question: "hello", enough: 2))
          }
          try await eventually("all have their reply, and are open together") {
            server.connectionCount == 9000 && server.totals.bytesWritten == 6 * 9000
          }
          while await client.statistics.framesReceived < 9000 {
            try await client.loop.sleep(for: .milliseconds(10))
          }
          client.closeAll()
          let outcomes = await client.outcomes.all()
          #expect(outcomes.count == 9000)
          #expect(Set(outcomes.map(\.id)).count == 9000)
          #expect(outcomes.allSatisfy { $0.result == .finished(.closed) && $0.handler.lines == ["hello"] })
        }
      }
    }
  }

  @Test("against a server in another process: all connect, all have their reply, and each has one outcome")
  func nineteenThousand() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        // As many as this process may have, with some to spare: 19,000 with `ulimit -Hn 20000`.
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let count = min(19_000, Int(clamping: limit.rlim_max) - 500)
        print("\(count) connections to a server in another process")
        try await withChildProcess(try builtExecutable("rot13"), []) { process in
          let line = try await process.readLine()
          let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
          var configuration = MultiClientConfiguration()
          configuration.limits.open = count
          let client = try MultiClient<Asker>(framing: .lines, configuration: configuration)
          for _ in 0..<count {
            try await client.connect(to: .loopback(port: port), Asker(question: "uryyb", enough: 2))
          }
          while await client.statistics.framesReceived < count {
            try await client.loop.sleep(for: .milliseconds(50))
          }
          #expect(await client.statistics.open == count)
          client.closeAll()
          let outcomes = await client.outcomes.all()
          #expect(outcomes.count == count)
          #expect(Set(outcomes.map(\.id)).count == count)
          #expect(outcomes.allSatisfy { $0.result == .finished(.closed) && $0.handler.lines == ["hello"] })
        }
      }
    }
  }

  @Test("stay open together, each having been answered, in at most 1 KB of the client's memory each")
  func memory() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let count = 9000
        let program = try builtExecutable("rot13")
        try await withChildProcess(program, []) { process in
          let line = try await process.readLine()
          let port = try #require(line.split(separator: ":").last.flatMap { UInt16($0) })
          var configuration = MultiClientConfiguration()
          configuration.limits.open = count + 100
          let client = try MultiClient<Stayer>(framing: .lines, configuration: configuration)
          let question = String(repeating: "x", count: 4095)
          func connect(_ number: Int) async throws {
            let before = await client.statistics.framesReceived
            for _ in 0..<number {
              try await client.connect(to: .loopback(port: port), Stayer(question: question))
            }
            while await client.statistics.framesReceived < before + UInt64(number) {
              try await client.loop.sleep(for: .milliseconds(50))
            }
          }
          // What the first ones need for good is not theirs.
          try await connect(100)
          let start = residentBytes()
          try await connect(count)
          let each = (residentBytes() - start) / count
          print("resident memory of a client's idle connection: \(each) bytes")
          #expect(each <= 1024)
          client.abortAll()
          #expect(await client.outcomes.all().count == count + 100)
        }
      }
    }
  }
}

private func residentBytes() -> Int {
  let file = unsafe open("/proc/self/statm", O_RDONLY)
  defer { close(file) }
  var text = [UInt8](repeating: 0, count: 256)
  let length = unsafe read(file, &text, text.count)
  let numbers = String(decoding: text.prefix(max(0, length)), as: UTF8.self).split(separator: " ")
  return (numbers.count > 1 ? Int(numbers[1]) ?? 0 : 0) * 4096
}

/// Runs the body of an exit test, whose errors would else be told as a crash without a word.
private func reportingErrors(_ body: () async throws -> Void) async {
  do {
    try await body()
  } catch {
    Issue.record("\(error)")
  }
}
