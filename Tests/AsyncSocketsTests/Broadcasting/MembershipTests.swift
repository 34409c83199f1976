import Framing
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("The members of a broadcast", .timeLimit(.minutes(1)))
struct MembershipTests {
  @Test(
    "come and go in any order; a message reaches those who are there, and a room that empties keeps no seats")
  func comesAndGoes() async throws {
    try await withAuditedLoops { group in
      let room = Broadcast(LineFraming())
      let transports = (0..<12).map { _ in ScriptedTransport() }
      let members = try transports.map { try Connection(over: $0, on: group.loops[0]).framed(LineFraming()) }
      defer { for member in members { member.abort() } }
      var numbers = SeededGenerator(seed: 4)
      var seats: [Int: BroadcastSeat] = [:]
      var expected = [String](repeating: "", count: members.count)
      for round in 0..<400 {
        // Crowded at first, then nearly empty, and again.
        let isCrowded = round / 50 % 2 == 0
        let number = Int.random(in: members.indices, using: &numbers)
        if let seat = seats[number] {
          if !isCrowded || round % 3 == 0 {
            room.leave(seat)
            seats[number] = nil
          }
        } else if isCrowded || round % 3 == 0 {
          seats[number] = room.enter(members[number], driver: nil)
        }
        #expect(room.count == seats.count)
        #expect(
          Set(room.members.map(ObjectIdentifier.init))
            == Set(seats.values.map { ObjectIdentifier($0.member) }))
        let delivery = try await room.send("\(round)")
        #expect(delivery.delivered.count == seats.count)
        for number in seats.keys { expected[number] += "\(round)\n" }
      }
      for member in members { try await member.flush() }
      #expect(transports.map { String(decoding: $0.record.written, as: UTF8.self) } == expected)
      for (_, seat) in seats.sorted(by: { $0.key < $1.key }) { room.leave(seat) }
      #expect(room.roll.seats.isEmpty)
      #expect(room.roll.members.isEmpty)
    }
  }
}
