import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A group of event loops", .timeLimit(.minutes(4)))
struct EventLoopGroupTests {
  @Test("gives each its turn, round and round")
  func roundRobin() async throws {
    let group = try EventLoopGroup(count: 3)
    #expect(group.loops.count == 3)
    #expect(Set(group.loops.map(ObjectIdentifier.init)).count == 3)
    for _ in 0..<4 {
      for loop in group.loops { #expect(group.next() === loop) }
    }
    await group.shutdown()
  }

  @Test("gives each its share when many ask at once")
  func fairShare() async throws {
    let group = try EventLoopGroup(count: 2)
    let counts = await withTaskGroup(of: Int.self) { tasks in
      for _ in 0..<4 {
        tasks.addTask { (0..<1000).reduce(0) { sum, _ in sum + (group.next() === group.loops[0] ? 1 : 0) } }
      }
      return await tasks.reduce(0, +)
    }
    #expect(counts == 2000)
    await group.shutdown()
  }

  @Test("has at least one loop", arguments: [0, -1, Int.min])
  func badCount(count: Int) {
    let message = "a group needs at least 1 event loop, not \(count)"
    #expect(throws: SocketError.invalid(message)) { try EventLoopGroup(count: count) }
  }

  @Test("can be made of loops that exist, if there is one")
  func ofLoops() async throws {
    #expect(throws: SocketError.invalid("a group needs at least 1 event loop, not 0")) {
      try EventLoopGroup([])
    }
    let loop = try EventLoop()
    let group = try EventLoopGroup([loop])
    #expect(group.next() === loop)
    #expect(group.next() === loop)
    await group.shutdown()
  }

  @Test("is there for everybody, once, with as many loops as there are cores")
  func shared() throws {
    let group = try EventLoopGroup.shared
    #expect(try EventLoopGroup.shared === group)
    #expect(group.loops.count == EventLoopGroup.availableCores)
    #expect(try Environment.current.loops === group)
  }

  @Test("is another where the environment says so")
  func environment() async throws {
    let group = try EventLoopGroup(count: 1)
    try await Environment.$current.withValue(Environment(loops: group)) {
      #expect(try Environment.current.loops === group)
      let inChild = try await withThrowingTaskGroup(of: Bool.self) { tasks in
        tasks.addTask { try Environment.current.loops === group }
        return try await tasks.next()
      }
      #expect(inChild == true)
    }
    await group.shutdown()
  }

  @Test("measures time by the clock that it is given")
  func clock() async throws {
    let clock = ManualClock()
    let group = try EventLoopGroup(count: 2, clock: clock)
    clock.advance(by: .seconds(5))
    #expect(
      group.loops.map(\.now) == Array(repeating: EventLoop.Instant(nanoseconds: 5_000_000_000), count: 2))
    await group.shutdown()
  }

  @Test("has a loop for each core that the process may use, not for each that there is")
  func cores() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let status = try await withChildProcess("taskset", ["-a", "-p", "-c", "0", "\(getpid())"]) {
          try await $0.waitForExit()
        }
        #expect(status == .exited(0))
        #expect(EventLoopGroup.availableCores == 1)
        let group = try EventLoopGroup()
        #expect(group.loops.count == 1)
        await group.shutdown()
      }
    }
  }
}
