import AsyncSockets
import Glibc
import Peers
import TestHarness
import Testing

@Suite("Writing to a connection", .timeLimit(.minutes(4)))
struct WritingTests {
  @Test("sends arrive whole and in order", arguments: Route.allCases)
  func order(_ route: Route) async throws {
    try await withLink(route) { link in
      var expected: [UInt8] = []
      for round in 0..<50 {
        let message = payload(round * 97, seed: UInt8(round))
        try await link.connection.send(message)
        expected += message
      }
      try await link.connection.send("ä€😀")
      expected += bytes("ä€😀")
      try await link.connection.finishWriting()
      #expect(areSame(try await onThread { try link.peer.receiveToEnd() }, expected))
    }
  }

  @Test("a send needs no flush to be on its way", arguments: Route.allCases)
  func needsNoFlush(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("hello")
      #expect(try await onThread { try link.peer.receive(exactly: 5) } == bytes("hello"))
      #expect(link.connection.queued == 0)
    }
  }

  @Test("a send off the loop is with the kernel when it returns", arguments: Network.allCases)
  func offTheLoop(_ network: Network) async throws {
    try await withLink(Route(network: network, isOnLoop: false)) { link in
      for _ in 0..<20 {
        try await link.connection.send("hello")
        #expect(link.connection.queued == 0)
      }
    }
  }

  @Test(
    "scenario F3: a pipe that is full makes its writer wait, and what was accepted arrives",
    arguments: Route.allCases)
  func fullPipe(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let chunk = payload(1 << 20)
      async let received = onThread { try link.peer.receiveToEnd() }
      for _ in 0..<4 { try await link.connection.send(chunk) }
      try await link.connection.send([])
      try await link.connection.finishWriting()
      let all = try await received
      #expect(areSame(all, chunk + chunk + chunk + chunk))
      #expect(link.connection.counters.bytesAccepted == UInt64(all.count))
      #expect(link.connection.counters.bytesWritten == UInt64(all.count))
    }
  }

  @Test(
    "concurrent sends are whole on the wire, and each writer's are in its order (P26)",
    arguments: Route.allCases)
  func concurrentWriters(_ route: Route) async throws {
    let size = 100_000
    let perWriter = 6
    try await withLink(route, hasSmallBuffers: true) { link in
      async let received = onThread { try link.peer.receive(exactly: 4 * perWriter * size) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<4 {
          group.addTask {
            for number in 0..<perWriter {
              try await link.connection.send(
                [UInt8(writer), UInt8(number)] + payload(size - 2, seed: UInt8(writer * 16 + number)))
            }
          }
        }
        try await group.waitForAll()
      }
      let all = try await received
      var next = [0, 0, 0, 0]
      for start in stride(from: 0, to: all.count, by: size) {
        let message = Array(all[start..<start + size])
        let writer = Int(message[0])
        let number = Int(message[1])
        try #require((0..<4).contains(writer))
        #expect(number == next[writer])
        next[writer] += 1
        #expect(areSame(Array(message[2...]), payload(size - 2, seed: UInt8(writer * 16 + number))))
      }
      #expect(next == [perWriter, perWriter, perWriter, perWriter])
    }
  }

  @Test(
    "sends that a task makes one after the other keep their order beside those of others",
    arguments: Route.allCases)
  func smallConcurrentWriters(_ route: Route) async throws {
    try await withLink(route) { link in
      async let received = onThread { try link.peer.receiveToEnd() }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<4 {
          group.addTask {
            for number in 0..<500 { try await link.connection.send("\(writer) \(number)\n") }
          }
        }
        try await group.waitForAll()
      }
      try await link.connection.finishWriting()
      let lines = String(decoding: try await received, as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 2000)
      for writer in 0..<4 {
        let own = lines.filter { $0.hasPrefix("\(writer) ") }
        #expect(own == (0..<500).map { "\(writer) \($0)" })
      }
    }
  }

  @Test("sends after this side has ended its stream are refused", arguments: Route.allCases)
  func afterFinishWriting(_ route: Route) async throws {
    try await withLink(route) { link in
      try await link.connection.send("last words")
      try await link.connection.finishWriting()
      #expect(await socketError { try await link.connection.send("more") } == .finishedWriting)
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("last words"))
    }
  }
}
