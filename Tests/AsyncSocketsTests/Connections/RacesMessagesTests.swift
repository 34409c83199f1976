import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Races: long runs of messages", .timeLimit(.minutes(10)))
struct RacesMessagesTests {
  private static let size = 64

  /// Messages that come when they come, whole or in pieces, to a reader that is now quicker, now slower.
  @Test("every message of a long run arrives, on the loop and off it", arguments: Route.allCases)
  func longRun(_ route: Route) async throws {
    // The longest over the route on which wake-ups are easiest to lose.
    let usual = route.network == .ipv4 && !route.isOnLoop ? 40_000 : 5_000
    let count = rounds(usual, slow: 1_000_000)
    try await withLink(route) { link in
      let batch = 64
      async let sending: Void = onThread {
        for first in stride(from: 0, to: count, by: batch) {
          // One write each, now and then one for several.
          if first % 3 == 0 {
            try link.peer.send(messages(first..<min(first + batch, count)))
          } else {
            for number in first..<min(first + batch, count) {
              try link.peer.send(messages(number..<number + 1))
            }
          }
        }
        try link.peer.halfClose()
      }
      var next = 0
      var held: [UInt8] = []
      while let chunk = try await link.connection.read() {
        held += chunk
        let whole = held.count / Self.size
        guard whole > 0 else { continue }
        // An expectation for each would take longer than the messages.
        guard areSame(Array(held[..<(whole * Self.size)]), messages(next..<next + whole)) else { break }
        next += whole
        held.removeFirst(whole * Self.size)
      }
      #expect(next == count)
      #expect(held.isEmpty)
      try await sending
    }
  }

  @Test(
    "a long run of questions and answers does not stop, on the loop and off it", arguments: Route.allCases)
  func pingPong(_ route: Route) async throws {
    let count = rounds(2_000, slow: 100_000)
    try await withLink(route) { link in
      async let answered = onThread {
        for number in 0..<count {
          let message = messages(number..<number + 1)
          try link.peer.send(message)
          guard try link.peer.receive(exactly: Self.size) == message else { return number }
        }
        link.peer.close()
        return count
      }
      for try await chunk in link.connection.inbound { try await link.connection.send(chunk) }
      #expect(try await answered == count)
    }
  }

  @Test("pipelined lines are echoed in order while both directions are full", arguments: Route.allCases)
  func pipelined(_ route: Route) async throws {
    let count = rounds(5_000, slow: 100_000)
    try await withLink(route, hasSmallBuffers: true) { link in
      async let sending: Void = onThread {
        for first in stride(from: 0, to: count, by: 100) {
          try link.peer.send((first..<min(first + 100, count)).map { "line \($0)\n" }.joined())
        }
        try link.peer.halfClose()
      }
      async let received = onThread { try link.peer.receiveToEnd() }
      let lines = link.connection.framed(LineFraming())
      for try await line in lines.inbound { try await lines.send(line) }
      await lines.close()
      try await sending
      #expect(areSame(try await received, bytes((0..<count).map { "line \($0)\n" }.joined())))
    }
  }

  @Test("readers and writers of one connection may be anywhere", arguments: Route.allCases)
  func everywhere(_ route: Route) async throws {
    let count = rounds(200, slow: 10_000)
    try await withLink(route, hasSmallBuffers: true) { link in
      let loop = link.loop
      async let echoing: Void = onThread {
        while true {
          let bytes = try link.peer.receive(atMost: 65_536)
          if bytes.isEmpty { break }
          try link.peer.send(bytes)
        }
        link.peer.close()
      }
      let total = 6 * count * 500
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<6 {
          group.addTask(executorPreference: writer.isMultiple(of: 2) ? loop.executor : nil) {
            for _ in 0..<count { try await link.connection.send(payload(500, seed: UInt8(writer))) }
          }
        }
        group.addTask {
          var received = 0
          while received < total, let chunk = try await link.connection.read() { received += chunk.count }
          #expect(received == total)
        }
        try await group.waitForAll()
      }
      try await link.connection.finishWriting()
      try await echoing
    }
  }
}

/// Messages of 64 bytes, each of which begins and ends with its number.
private func messages(_ numbers: Range<Int>) -> [UInt8] {
  var bytes = [UInt8](repeating: 0x2E, count: numbers.count * 64)
  unsafe bytes.withUnsafeMutableBytes { memory in
    for (index, number) in numbers.enumerated() {
      unsafe memory.storeBytes(of: UInt64(number), toByteOffset: index * 64, as: UInt64.self)
      unsafe memory.storeBytes(of: ~UInt64(number), toByteOffset: index * 64 + 56, as: UInt64.self)
    }
  }
  return bytes
}
