import Glibc
import TestHarness
import Testing

@testable import keyvalue

@Suite("A replica") struct ReplicaTests {
  @Test("keeps the newest of what it is told, in whatever order, and after a restart")
  func newest() throws {
    let disk = SimulatedDisk()
    let replica = try Replica(on: disk)
    #expect(try replica.answer("GET x") == "0 - ")
    for (version, newest) in [
      ("5 bob a pear", "5 bob a pear"), ("4 eve no", "5 bob a pear"), ("5 alice no", "5 bob a pear"),
      ("5 carol ", "5 carol "), ("6 alice  z ", "6 alice  z "), ("6 alice  z ", "6 alice  z "),
    ] {
      #expect(try replica.answer("SET x \(version)") == "OK")
      #expect(try replica.answer("GET x") == newest)
    }
    #expect(disk.lines().count == 3)
    #expect(try Replica(on: disk).answer("GET x") == "6 alice  z ")
  }

  @Test("answers what it cannot do with a reason")
  func nonsense() throws {
    let replica = try Replica(on: SimulatedDisk())
    for line in ["", "GET", "GET x y", "HELLO"] { #expect(try replica.answer(line) == "NO GET, SET or PING") }
    for text in ["x", "x 1", "x 1 bob", "x one bob 1", "x -1 bob 1", "x 9223372036854775807 bob 1"] {
      #expect(try replica.answer("SET \(text)") == "NO SET KEY NUMBER WRITER VALUE")
    }
    #expect(try replica.answer("PING") == "OK")
  }

  @Test("has a file whose last line a crash may have cut short, and that no other may use")
  func file() async throws {
    let path = "/tmp/keyvalue-\(UInt64.random(in: 0...(.max)))"
    defer { unsafe unlink(path) }
    do {
      let disk = try FileDisk(path)
      #expect(disk.lines() == [])
      try disk.append("x 1 bob a")
      try disk.append("x 2 bob b")
      #expect(throws: StoreError.self) { try FileDisk(path) }
    }
    let isCut = unsafe truncate(path, 17) == 0
    #expect(isCut)
    do {
      let disk = try await reopened(path)
      #expect(disk.lines() == ["x 1 bob a"])
      try disk.append("y 3 bob c")
    }
    #expect(try await reopened(path).lines() == ["x 1 bob a", "y 3 bob c"])
    #expect(throws: StoreError.self) { try FileDisk("/nowhere/at/all") }
    let damaged = SimulatedDisk()
    damaged.append("x y z")
    #expect(throws: StoreError.self) { try Replica(on: damaged) }
  }

  /// A child process that another test starts meanwhile has the lock too, until it becomes its program.
  private func reopened(_ path: String) async throws -> FileDisk {
    var disk: FileDisk?
    try await eventually("the file can be used") {
      disk = try? FileDisk(path)
      return disk != nil
    }
    return try #require(disk)
  }
}
