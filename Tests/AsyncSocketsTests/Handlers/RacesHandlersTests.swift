import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Races: handlers", .timeLimit(.minutes(4)))
struct RacesHandlersTests {
  @Test("a handler that threads ask for things while it ends loses nothing of itself", arguments: 0..<10)
  func references(round: Int) async throws {
    try await withAuditedLoops { group in
      let loop = group.loops[0]
      let link = try await makeLink(.ipv4, on: loop)
      let reference = Lock<HandlerReference<ScriptedHandler>?>(nil)
      var handler = ScriptedHandler.echo
      handler.connected = { handler, context in
        let me = context.reference(to: handler)
        reference.withLock { $0 = me }
      }
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { [handler] in
          let last = try await link.connection.run(handler, framing: LineFraming())
          #expect(last.count <= 400)
          #expect(last.log.lines.count { $0.hasPrefix("closed") } == 1)
        }
        try await handler.log.wait(for: "connected")
        let me = try #require(reference.withLock { $0 })
        for _ in 0..<4 {
          tasks.addTask {
            for number in 0..<100 {
              me.perform { handler, context in
                handler.count += 1
                if context.canSend { try context.send("\(number)") }
              }
              if number % 10 == 0 { await Task.yield() }
            }
          }
        }
        tasks.addTask {
          for _ in 0..<round { await Task.yield() }
          switch round % 4 {
          case 0: link.peer.close()
          case 1: link.connection.abort()
          case 2: me.perform { _, context in context.close() }
          default: try? link.peer.reset()
          }
        }
        tasks.addTask {
          for _ in 0..<50 {
            _ = link.connection.snapshot
            _ = me.isClosed
            await Task.yield()
          }
          link.peer.close()
        }
        try await tasks.waitForAll()
      }
    }
  }
}
