import Testing

@testable import TCPServer

@Suite("The lanes of connections")
struct LaneTableTests {
  @Test("no lane holds more than its capacity, and a new one opens only when all are full")
  func bounded() {
    var table = LaneTable()
    var counts: [Int] = []
    for _ in 0..<(3 * LaneTable.capacity) {
      let (lane, isNew) = table.enter()
      #expect(isNew == counts.allSatisfy { $0 == LaneTable.capacity })
      if isNew { counts.append(0) }
      counts[lane] += 1
    }
    #expect(counts == [LaneTable.capacity, LaneTable.capacity, LaneTable.capacity])
  }

  @Test("a place that is left is taken again")
  func reuse() {
    var table = LaneTable()
    for _ in 0..<(2 * LaneTable.capacity) { _ = table.enter() }
    table.leave(0)
    let (lane, isNew) = table.enter()
    #expect(lane == 0)
    #expect(!isNew)
    #expect(table.enter().isNew)
  }

  @Test("agrees with plain counting, whoever comes and goes", arguments: 1...10)
  func model(seed: Int) {
    var state = UInt64(seed)
    var table = LaneTable()
    var inside: [Int] = []
    var counts: [Int: Int] = [:]
    for _ in 0..<5_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      if state >> 33 % 5 < 3 || inside.isEmpty {
        let lane = table.enter().lane
        inside.append(lane)
        counts[lane, default: 0] += 1
        #expect(counts[lane, default: 0] <= LaneTable.capacity)
      } else {
        let lane = inside.remove(at: Int(state >> 40) % inside.count)
        counts[lane, default: 0] -= 1
        table.leave(lane)
      }
    }
  }
}
