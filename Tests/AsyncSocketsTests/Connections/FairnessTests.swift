import AsyncSockets
import Framing
import Peers
import Synchronization
import TestHarness
import Testing

@Suite("One connection does not take the loop from others", .timeLimit(.minutes(4)))
struct FairnessTests {
  /// Lets a task on the loop run beside `body`, and answers how many turns it had while that did not suspend.
  private func turns(
    on loop: EventLoop, while body: @escaping @Sendable () async throws -> Void
  ) async throws -> Int {
    try await withThrowingTaskGroup(of: Int.self) { group in
      let isDone = Count()
      group.addTask(executorPreference: loop.executor) {
        var turns = 0
        while isDone.value == 0 {
          turns += 1
          await loop.nextTurn()
        }
        return turns
      }
      group.addTask(executorPreference: loop.executor) {
        try await body()
        isDone.increase()
        return 0
      }
      return try await group.reduce(0, +)
    }
  }

  @Test("frames that are all there are delivered 64 at a time", arguments: Network.allCases)
  func frames(_ network: Network) async throws {
    try await withLink(Route(network: network, isOnLoop: false)) { link in
      try link.peer.send(Array(repeating: UInt8(ascii: "\n"), count: 6400))
      try await eventually("all is there") { unreadInKernel(link.connection) == 6400 }
      let turns = try await turns(on: link.loop) {
        let lines = link.connection.framed(LineFraming())
        var count = 0
        while count < 6400, try await lines.next() == "" { count += 1 }
        #expect(count == 6400)
      }
      #expect(turns >= 95)
    }
  }

  @Test("small reads yield after 16", arguments: Network.allCases)
  func smallReads(_ network: Network) async throws {
    try await withLink(Route(network: network, isOnLoop: false)) { link in
      try link.peer.send(payload(1600))
      try await eventually("all is there") { unreadInKernel(link.connection) == 1600 }
      let turns = try await turns(on: link.loop) {
        var count = 0
        while count < 1600, try await link.connection.read(atMost: 1)?.count == 1 { count += 1 }
        #expect(count == 1600)
      }
      #expect(turns >= 95)
    }
  }

  @Test("reads into the caller's memory yield after 16, too", arguments: Network.allCases)
  func readsIntoMemory(_ network: Network) async throws {
    try await withLink(Route(network: network, isOnLoop: false)) { link in
      try link.peer.send(payload(1600))
      try await eventually("all is there") { unreadInKernel(link.connection) == 1600 }
      let turns = try await turns(on: link.loop) {
        var count = 0
        while count < 1600, try await link.connection.readBytes(capacity: 1).count == 1 { count += 1 }
        #expect(count == 1600)
      }
      #expect(turns >= 95)
    }
  }

  @Test("large reads yield after 256 KiB")
  func largeReads() async throws {
    let input = (0..<64).map { ScriptedTransport.Step.bytes(payload(65_536, seed: UInt8($0))) }
    try await withScript(.offLoop, ScriptedTransport(input: input)) { link in
      let turns = try await turns(on: link.loop) {
        for number in 0..<64 {
          let received = try await link.connection.receive(exactly: 65_536)
          #expect(areSame(received, payload(65_536, seed: UInt8(number))))
        }
      }
      #expect(turns >= 15)
    }
  }

  @Test("a sender whose peer takes everything yields as well")
  func largeSends() async throws {
    try await withScript(.offLoop) { link in
      let turns = try await turns(on: link.loop) {
        for _ in 0..<64 { try await link.connection.send(payload(65_536)) }
      }
      #expect(turns >= 10)
    }
  }

  @Test("a reader whose input never dries up sees its cancellation")
  func cancelledWhileBusy() async throws {
    let transport = ScriptedTransport(inputForEver: Array(repeating: 0x0A, count: 1000))
    try await withScript(.onLoop, transport) { link in
      let lines = link.connection.framed(LineFraming())
      let frames = Count()
      let error = try await cancelled(once: { frames.value > 1000 }) {
        while try await lines.next() != nil { frames.increase() }
      }
      #expect(error is CancellationError)
    }
  }

  @Test("an echo beside three bulk senders is answered in between")
  func echoBesideBulk() async throws {
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let bulk = [
        try await makeLink(.ipv4, on: loop), try await makeLink(.ipv6, on: loop),
        try await makeLink(.unix, on: loop),
      ]
      let echo = try await makeLink(.ipv4, on: loop)
      defer { for link in bulk + [echo] { link.connection.abort() } }
      let isDone = Count()
      let moved = Count()
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        for link in bulk {
          tasks.addTask {
            try await onThread {
              let chunk = payload(100_000)
              while isDone.value == 0 { try link.peer.send(chunk) }
              link.peer.close()
            }
          }
          tasks.addTask(executorPreference: loop.executor) {
            for try await chunk in link.connection.inbound { moved.increase(by: chunk.count) }
          }
        }
        tasks.addTask(executorPreference: loop.executor) {
          for try await chunk in echo.connection.inbound { try await echo.connection.send(chunk) }
        }
        try await eventually("the senders are under way") { moved.value > 1_000_000 }
        let mostBetweenEchoes = try await onThread {
          var most = 0
          for round in 0..<100 {
            let before = moved.value
            try echo.peer.send("\(round % 10)")
            guard try echo.peer.receive(exactly: 1) == bytes("\(round % 10)") else { return Int.max }
            most = max(most, moved.value - before)
          }
          echo.peer.close()
          isDone.increase()
          return most
        }
        // In bytes rather than in milliseconds: a few turns' worth, and not what a sender has to send.
        #expect(mostBetweenEchoes < 20 << 20)
        try await tasks.waitForAll()
      }
    }
  }
}
