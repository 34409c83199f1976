import AsyncSockets
import Framing
import Peers
import TCPClient
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("That a connection is healthy")
struct HealthOrderTests {
  @Test("is told before its end, also by whoever takes long to say so")
  func order() async throws {
    let log = ClientLog()
    let (stands, isTelling, hasLeft) = (Latch(), Latch(), Latch())
    let mayGoOn = Shared(false)
    let configuration = log.configuration(.never) { configuration in
      configuration.health = .marked
      let record = configuration.onEvent
      configuration.onEvent = { event in
        if case .healthy = event {
          isTelling.open()
          while !mayGoOn.value {}
        }
        record?(event)
      }
    }
    try await withTestServer(framing: LineFraming()) { server in
      let client = TCPClient(to: server.addresses[0], configuration: configuration)
      let loop = try EventLoop()
      let states = client.states
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          let _: Bool = try await client.run { connection in
            stands.open()
            _ = await isTelling.wait(on: connection.loop)
            connection.abort()
            hasLeft.open()
            return .finish(true)
          }
        }
        group.addTask {
          _ = await stands.wait(on: loop)
          try await onThread { client.markHealthy() }
        }
        group.addTask {
          _ = await hasLeft.wait(on: loop)
          for _ in 0..<100 { await loop.nextTurn() }
          mayGoOn.set(true)
        }
        try await group.waitForAll()
      }
      var words: [String] = []
      for await state in states {
        switch state {
        case .connected: words.append("connected")
        case .healthy: words.append("healthy")
        case .ended: words.append("ended")
        default: break
        }
      }
      #expect(words == ["connected", "healthy", "ended"])
      #expect(log.disorder == nil && log.lines.last == "ended: finished")
    }
  }
}
