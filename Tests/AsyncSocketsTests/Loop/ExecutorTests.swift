import Peers
import Synchronization
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("An event loop as an executor", .timeLimit(.minutes(4)))
struct ExecutorTests {
  @Test("keeps a task that prefers it, from one wait to the next")
  func tasksStay() async throws {
    try await withLoop { loop in
      #expect(!loop.isCurrent)
      try await onLoop(loop) {
        #expect(loop.isCurrent)
        await Task.yield()
        #expect(loop.isCurrent, "after a yield")
        try await loop.sleep(for: .microseconds(10))
        #expect(loop.isCurrent, "after a sleep")
        await loop.nextTurn()
        #expect(loop.isCurrent, "after a turn")
        try await onThread {}
        #expect(loop.isCurrent, "after what another thread did")
        async let child = loop.isCurrent
        #expect(await child, "in a child task")
        #expect(loop.isCurrent, "after a child task")
        let isHome = await Vagrant().isOn(loop)
        #expect(isHome, "in an actor that has no executor of its own")
        #expect(loop.isCurrent, "after such an actor")
        #expect(await MainActor.run { !loop.isCurrent }, "in an actor that has one")
        #expect(loop.isCurrent, "after such an actor")
      }
      #expect(!loop.isCurrent)
    }
  }

  @Test("runs its own isolated methods on its thread")
  func isolatedMethods() async throws {
    try await withLoop { loop in
      #expect(await loop.isOnItself())
      let isOnItself = try await onLoop(loop) { await loop.isOnItself() }
      #expect(isOnItself)
    }
  }

  @Test("runs an actor that names it as its executor")
  func residents() async throws {
    try await withLoop { loop in
      let resident = Resident(on: loop)
      #expect(await resident.call())
      let isOnLoop = try await onLoop(loop) { await resident.call() }
      #expect(isOnLoop)
      #expect(await resident.count == 2)
    }
  }

  @Test("lets code that runs on it assume so")
  func assumptions() async throws {
    try await withLoop { loop in
      let resident = Resident(on: loop)
      try await onLoop(loop) {
        loop.preconditionIsolated()
        resident.preconditionIsolated()
        #expect(callAssuming(loop))
        #expect(callAssuming(resident))
      }
    }
  }

  @Test("traps when code elsewhere assumes so")
  func falseAssumptions() async {
    await #expect(processExitsWith: .failure) {
      let loop = try EventLoop()
      _ = callAssuming(loop)
    }
  }

  @Test("does not mix up two loops")
  func twoLoops() async throws {
    try await withLoop { one in
      try await withLoop { other in
        let (onOne, onOther) = try await onLoop(one) { (one.isCurrent, other.isCurrent) }
        #expect(onOne)
        #expect(!onOther)
        let resident = Resident(on: other)
        let (isThere, isItself) = try await onLoop(one) { (await resident.call(), await other.isOnItself()) }
        #expect(isThere)
        #expect(isItself)
      }
    }
  }

  @Test("runs 100,000 jobs that three threads enqueue at once, each of them (P39)")
  func manyThreads() async throws {
    try await withLoop { loop in
      let (ran, strayed) = (Count(), Count())
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 {
          group.addTask {
            try await onThread {
              for _ in 0..<33_334 {
                Task(executorPreference: loop.executor) {
                  if !loop.isCurrent { strayed.increase() }
                  ran.increase()
                }
              }
            }
          }
        }
        try await group.waitForAll()
      }
      try await eventually("all have run") { ran.value == 100_002 }
      #expect(strayed.value == 0)
    }
  }

  @Test("runs the jobs of one thread in their order")
  func order() async throws {
    try await withLoop { loop in
      let ran = Recorder<Int>()
      try await onThread {
        for number in 0..<2000 { Task(executorPreference: loop.executor) { ran.append(number) } }
      }
      try await eventually("all have run") { ran.count == 2000 }
      #expect(ran.all == Array(0..<2000))
    }
  }

  @Test("hears of a job however close to falling asleep it is (P39)")
  func noLostWakeUp() async throws {
    try await withLoop { loop in
      let residents = [Resident(on: loop), Resident(on: loop)]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for resident in residents {
          group.addTask { for _ in 0..<5000 { _ = await resident.call() } }
        }
        try await group.waitForAll()
      }
      for resident in residents { #expect(await resident.count == 5000) }
    }
  }

  @Test("serves sockets and deadlines beside a task that requeues itself for ever")
  func noStarvation() async throws {
    try await withLoop { loop in
      let isOver = Count()
      async let hog: Int = onLoop(loop) {
        var rounds = 0
        while isOver.value == 0 {
          await Task.yield()
          rounds += 1
        }
        return rounds
      }
      // However this ends, or the hog never would.
      defer { isOver.increase() }
      let listener = try Listener.bind(to: .loopback(), on: loop)
      defer { listener.close() }
      let port = try #require(listener.address.port)
      async let server: Void = onLoop(loop) {
        let connection = try await listener.accept(on: loop)
        while let chunk = try await connection.read() { try await connection.send(chunk) }
        await connection.close()
      }
      let echo = try await onThread {
        let peer = try BlockingPeer.connect(port: port)
        defer { peer.close() }
        return try (0..<100).map { number in
          try peer.send("\(number)\n")
          return try peer.receiveLine()
        }
      }
      #expect(echo == (0..<100).map { "\($0)" })
      try await onLoop(loop) { try await loop.sleep(for: .milliseconds(2)) }
      isOver.increase()
      #expect(try await hog > 100)
      try await server
    }
  }
}

extension EventLoop {
  fileprivate func isOnItself() -> Bool { isCurrent }
}

private func callAssuming(_ loop: EventLoop) -> Bool { loop.assumeIsolated { $0.isOnItself() } }

private func callAssuming(_ resident: Resident) -> Bool { resident.assumeIsolated { $0.call() } }
