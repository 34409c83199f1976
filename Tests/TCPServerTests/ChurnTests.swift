import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

/// How a connection of the churn comes to its end; each with its share in a hundred.
private enum Ending: CaseIterable {
  case orderly, reset, halfClose, leavesInput, serverReturns, serverAborts, serverThrows, serverCancelled

  var share: Int {
    switch self {
    case .orderly: 40
    case .reset: 20
    case .halfClose, .leavesInput, .serverThrows, .serverCancelled: 8
    case .serverReturns, .serverAborts: 4
    }
  }

  static let table = allCases.flatMap { Array(repeating: $0, count: $0.share) }
}

private struct Trouble: Error {}

@Suite("Many connections, one after the other", .timeLimit(.minutes(30)))
struct ChurnTests {
  @Test("connections of every ending leave no descriptor, registration, deadline or thread (P01, P43)")
  func everyEnding() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let full = isSlowRun ? 100_000 : 5_000
        try await expectingNothingLeft { isWarmUp in
          try await churn(connections: isWarmUp ? 100 : full, seed: 20_260_101)
        }
      }
    }
  }
}

/// Two clients, each with its own sequence of endings, against one server; nothing may be left on its loops.
private func churn(connections: Int, seed: UInt64) async throws {
  let log = Shared((accepted: 0, closed: 0, failed: 0))
  try await withAuditedLoops(count: 2) { _ in
    var configuration = TCPServer.Configuration()
    configuration.connection.limits.idle = .seconds(600)
    configuration.onEvent = { event in
      log.change { log in
        switch event {
        case .accepted: log.accepted += 1
        case .closed: log.closed += 1
        case .handlerFailed: log.failed += 1
        default: break
        }
      }
    }
    try await withServer(framing: LineFraming(), configuration: configuration) { connection in
      for try await line in connection.inbound {
        try await connection.send(line)
        switch line {
        case "return": return
        case "abort": return connection.abort()
        case "throw": throw Trouble()
        case "cancel": throw CancellationError()
        default: break
        }
      }
    } body: { server in
      let port = server.port
      try await withThrowingTaskGroup(of: Void.self) { group in
        for client in 0..<2 {
          group.addTask {
            try await onThread {
              var random = SeededGenerator(seed: seed + UInt64(client))
              for _ in 0..<(connections / 2) {
                try converse(port, Ending.table.randomElement(using: &random) ?? .orderly)
              }
            }
          }
        }
        try await group.waitForAll()
      }
      try await eventually("all have ended: \(log.value)") { log.value.closed == connections }
    }
  }
  let (accepted, closed, failed) = log.value
  #expect(accepted == connections)
  #expect(closed == connections)
  #expect(failed > 0)
}

private func converse(_ port: UInt16, _ ending: Ending) throws {
  let peer = try BlockingPeer.connect(port: port)
  switch ending {
  case .orderly:
    try peer.send("hello\n")
    try peer.expectLine("hello")
  case .reset:
    try peer.send("hello\n")
    try peer.reset()
  case .halfClose:
    try peer.send("hello")
    try peer.halfClose()
    try peer.expectEnd(after: "hello\n")
  case .leavesInput:
    try peer.send("one\ntwo\nthree\n")
    try peer.expectLine("one")
  case .serverReturns: try end(by: "return")
  case .serverAborts: try end(by: "abort")
  case .serverThrows: try end(by: "throw")
  case .serverCancelled: try end(by: "cancel")
  }
  peer.close()

  func end(by line: String) throws {
    try peer.send(line + "\n")
    _ = try peer.receiveToEnding()
  }
}
