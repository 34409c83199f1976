import Framing
import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("Sending several pieces as one, and integers", .serialized, .timeLimit(.minutes(4)))
struct GatheringTests {
  @Test("pieces arrive in order, whatever their sizes", arguments: Route.allCases)
  func order(_ route: Route) async throws {
    try await withLink(route) { link in
      let messages: [[[UInt8]]] = [
        [], [[]], [[], [], []], [bytes("one")], [bytes("a"), [], bytes("b"), bytes("c")],
        [payload(100_000), [], payload(70_000, seed: 1)], [bytes("header"), payload(200_000, seed: 2)],
        (0..<200).map { payload($0, seed: UInt8($0)) }, (0..<100).map { payload(2000, seed: UInt8($0)) },
      ]
      async let received = onThread { try link.peer.receiveToEnd() }
      for message in messages { try await link.connection.send(contentsOf: message) }
      try await link.connection.finishWriting()
      let expected = together(messages.flatMap { $0 })
      #expect(areSame(try await received, expected))
      #expect(link.connection.counters.bytesAccepted == UInt64(expected.count))
    }
  }

  @Test("pieces are whole on the wire beside other senders (P26)", arguments: Route.allCases)
  func atomic(_ route: Route) async throws {
    let size = 60_000
    let perWriter = 6
    try await withLink(route, hasSmallBuffers: true) { link in
      async let received = onThread { try link.peer.receive(exactly: 4 * perWriter * (size + 2)) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<4 {
          group.addTask {
            for number in 0..<perWriter {
              let body = payload(size, seed: UInt8(writer * 16 + number))
              try await link.connection.send(
                contentsOf: [[UInt8(writer)], [UInt8(number)], [], Array(body[..<999]), Array(body[999...])])
            }
          }
        }
        try await group.waitForAll()
      }
      let all = try await received
      var next = [0, 0, 0, 0]
      for start in stride(from: 0, to: all.count, by: size + 2) {
        let writer = Int(all[start])
        try #require((0..<4).contains(writer))
        #expect(Int(all[start + 1]) == next[writer])
        let body = payload(size, seed: UInt8(writer * 16 + next[writer]))
        #expect(areSame(Array(all[(start + 2)..<(start + 2 + size)]), body))
        next[writer] += 1
      }
      #expect(next == [perWriter, perWriter, perWriter, perWriter])
    }
  }

  @Test("large pieces on an empty buffer are one system call", arguments: Route.allCases)
  func oneCall(_ route: Route) async throws {
    let kernel = CountingKernel()
    try await withLink(route, kernel: kernel) { link in
      try link.connection.set(.sendBuffer(1 << 20))
      let parts = [bytes("header"), payload(50_000), payload(30_000, seed: 1)]
      async let received = onThread { try link.peer.receive(exactly: 80_006) }
      try await link.connection.send(contentsOf: parts)
      try await link.connection.flush()
      #expect(areSame(try await received, together(parts)))
      #expect(kernel.calls.gatheringSends == 1)
    }
  }

  @Test("small pieces on the loop join what the turn sends, in one call", arguments: Network.allCases)
  func joinTheTurn(_ network: Network) async throws {
    let kernel = CountingKernel()
    try await withLink(Route(network: network, isOnLoop: true), kernel: kernel) { link in
      for _ in 0..<10 { try await link.connection.send(contentsOf: [bytes("ab"), bytes("c")]) }
      #expect(kernel.calls.sends == 0)
      await link.loop.nextTurn()
      #expect(kernel.calls.sends == 1)
      #expect(try await onThread { try link.peer.receive(exactly: 30) }.count == 30)
    }
  }

  @Test(
    "a kernel that takes a part of it at a time, or is interrupted, changes nothing (P26, P66)",
    arguments: Route.allCases)
  func partialWrites(_ route: Route) async throws {
    for largest in [1, 5, 6, 7, 70_000] {
      let kernel = CountingKernel(sends: [EINTR, EINTR], largestSend: largest)
      try await withLink(route, kernel: kernel) { link in
        let size = largest == 1 ? 1000 : 5000
        let parts = [bytes("header"), payload(size), [], payload(min(100 * largest, 300_000), seed: 1)]
        async let received = onThread { try link.peer.receiveToEnd() }
        try await link.connection.send(contentsOf: parts)
        try await link.connection.finishWriting()
        #expect(areSame(try await received, together(parts)))
      }
    }
  }

  @Test("another transport is given the pieces one after the other", arguments: Place.allCases)
  func transport(_ place: Place) async throws {
    let output: [ScriptedTransport.Step] = [.room(40_000), .room(1000), .wouldBlock(.write)]
    let transport = ScriptedTransport(output: output)
    try await withScript(place, transport) { link in
      let parts = [payload(40_000), [], payload(30_000, seed: 1), payload(10, seed: 2)]
      try await link.connection.send(contentsOf: parts)
      try await eventually("it has no more room") { transport.record.writes == 3 }
      transport.announce(.write)
      try await link.connection.flush()
      #expect(areSame(transport.record.written, together(parts)))
    }
  }

  @Test("cancelled while it waits its turn, none of the pieces is sent (P41)", arguments: Route.allCases)
  func cancelledSend(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let first = payload(1_000_000)
      try await link.connection.sendWithoutWaiting(first)
      let error = try await cancelled(once: { try waitingWriters(link.connection) == 1 }) {
        try await link.connection.send(contentsOf: [bytes("nev"), bytes("er")])
      }
      #expect(error is CancellationError)
      async let received = onThread { try link.peer.receiveToEnd() }
      try await link.connection.send(contentsOf: [bytes("af"), bytes("ter")])
      try await link.connection.finishWriting()
      #expect(areSame(try await received, first + bytes("after")))
    }
  }

  @Test("pieces for a peer that has gone are refused like any send", arguments: Route.tcp)
  func reset(_ route: Route) async throws {
    try await withLink(route) { link in
      try link.peer.reset()
      let error = await socketError {
        while true { try await link.connection.send(contentsOf: [payload(50_000), payload(50_000)]) }
      }
      #expect(error?.isReset == true)
      #expect(await socketError { try await link.connection.send(contentsOf: [[1], [2]]) } == error)
    }
  }

  @Test("integers are sent as wide as they are said to be, in either order", arguments: Route.allCases)
  func integers(_ route: Route) async throws {
    try await withLink(route) { link in
      let connection = link.connection
      try await connection.send(0x0102, as: UInt16.self)
      try await connection.send(0x0102, as: UInt16.self, .little)
      try await connection.send(-2, as: Int32.self)
      try await connection.send(-2, as: Int32.self, .little)
      try await connection.send(.min, as: Int8.self)
      try await connection.send(0x0102_0304_0506_0708, as: UInt64.self, .little)
      try await connection.send(contentsOf: [ByteOrder.big.bytes(of: UInt16(2)), bytes("hi")])
      try await connection.finishWriting()
      let expected: [UInt8] =
        [1, 2, 2, 1, 0xFF, 0xFF, 0xFF, 0xFE, 0xFE, 0xFF, 0xFF, 0xFF, 0x80]
        + [8, 7, 6, 5, 4, 3, 2, 1, 0, 2] + bytes("hi")
      #expect(try await onThread { try link.peer.receiveToEnd() } == expected)
    }
  }
}

/// The pieces as one array, quickly in debug builds too.
private func together(_ parts: [[UInt8]]) -> [UInt8] { parts.reduce(into: []) { $0 += $1 } }
