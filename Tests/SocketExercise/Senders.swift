import AsyncSockets
import Framing
import TestHarness

/// Many tasks that send on one connection, some on its loop and some elsewhere, and a reader that checks each message.
enum Senders {
  static func run(senders: Int, messages: Int) async throws {
    try await withAuditedLoops(count: 2) { loops in
      let source = try Pair.Source(.loopback(), on: loops.loops[0])
      defer { source.close() }
      let pair = try await source.next()
      defer { pair.abort() }
      let framing = LengthPrefixFraming(.uint16)
      let (ours, theirs) = (pair.ours.framed(framing), pair.theirs.framed(framing))
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(executorPreference: loops.loops[0].executor) {
          try await check(theirs, senders: senders, messages: messages)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for sender in 0..<senders {
            group.addTask(executorPreference: sender % 3 == 0 ? nil : loops.loops[sender % 2].executor) {
              for number in 0..<messages { try await ours.send(message(sender, number)) }
            }
          }
          try await group.waitForAll()
        }
        try await ours.finishWriting()
        try await group.waitForAll()
      }
    }
    SocketExercise.say("\(senders * messages) messages, whole and in order")
  }

  private static func check(
    _ connection: FramedConnection<LengthPrefixFraming<IntegerField>>, senders: Int, messages: Int
  ) async throws {
    var next = Array(repeating: 0, count: senders)
    for try await frame in connection.inbound {
      let sender = Int(frame.first ?? 255)
      try require(sender < senders, "a message of no sender: \(sender)")
      try require(
        frame == message(sender, next[sender]), "message \(next[sender]) of sender \(sender) is broken")
      next[sender] += 1
    }
    try require(next.allSatisfy { $0 == messages }, "messages of each sender: \(next), not \(messages)")
  }

  private static func message(_ sender: Int, _ number: Int) -> [UInt8] {
    let length = 2 + (sender &* 31 &+ number &* 17) % 300
    return [UInt8(sender), UInt8(truncatingIfNeeded: number)]
      + (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 13 &+ sender) }
  }
}
