import Glibc
import TCPClient

/// Sends the commands on its standard input to a Redis server, without waiting for replies in between, and prints what came
/// of each, after its number. When the server goes, it waits for it to come back, and sends what it had not sent.
@main
struct Redis {
  static func main() async throws {
    guard let address = CommandLine.arguments.dropFirst().first.flatMap({ try? SocketAddress($0) }) else {
      print("usage: redis ADDRESS:PORT | unix:PATH")
      exit(2)
    }
    var configuration = TCPClient.Configuration()
    configuration.reconnect = .fixed(.milliseconds(100))
    let session = TCPClient(to: address, configuration: configuration)
      .session(framing: RESPFraming(), whileDisconnected: .wait)
    let loop = try EventLoop()
    await withThrowingTaskGroup { group in
      group.addTask { try await session.run() }
      await withTaskGroup { commands in
        // Reading blocks the main thread, which nobody else needs. (And holds the lock for which fflush(nil) waits.)
        for (number, line) in zip(1..., AnyIterator { readLine() }) {
          // On one loop, they are sent in the order in which they are added.
          commands.addTask(executorPreference: loop.executor) {
            let outcome = await outcome(line.split(separator: " ").map { String($0) }, session)
            let output = Array("\(number) \(outcome)\n".utf8)
            _ = unsafe write(STDOUT_FILENO, output, output.count)
          }
          // A connection takes 1,024 requests that have no reply yet.
          if number > 1_000 { await commands.next() }
        }
      }
      group.cancelAll()
    }
  }

  static func outcome(_ command: [String], _ session: TCPClient.Session<RESPFraming, Never>) async -> String {
    do {
      return try await text(session.request(command))
    } catch TCPClient.SessionError.outcomeUnknown {
      return "unknown: connection lost"
    } catch {
      return "failed: \(error)"
    }
  }

  static func text(_ value: RESP) -> String {
    switch value {
    case .text(let text): text
    case .error(let text): "error: \(text)"
    case .integer(let number): "\(number)"
    case .bulk(let bytes): bytes.map { String(decoding: $0, as: UTF8.self) } ?? "nil"
    case .array(let values): values.map { "[\($0.map { text($0) }.joined(separator: ", "))]" } ?? "nil"
    }
  }
}
