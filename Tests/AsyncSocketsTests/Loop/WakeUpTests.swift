import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("Wake-ups", .timeLimit(.minutes(4)))
struct WakeUpTests {
  @Test("are saved while the loop is awake, however many jobs come")
  func coalescing() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let before = Set(ResourceAudit.openDescriptors())
        let loop = try EventLoop()
        let event = try #require(
          ResourceAudit.openDescriptors().filter { !before.contains($0) }.compactMap(wakeUpEvent).first)
        let (here, there) = try socketPair()
        let (holder, held) = (BlockingPeer(adopting: here), BlockingPeer(adopting: there))
        // Nothing reads the eventfd, so that its count is how often the loop was woken.
        async let job: Int = onLoop(loop) {
          try held.send("!")
          _ = try held.receive(exactly: 1)
          return try eventCount(event)
        }
        _ = try await onThread { try holder.receive(exactly: 1) }
        let wakeUps = try eventCount(event)
        let ran = Count()
        try await onThread {
          for _ in 0..<10_000 { Task(executorPreference: loop.executor) { ran.increase() } }
        }
        #expect(ran.value == 0)
        try await onThread { try holder.send("!") }
        #expect(try await job == wakeUps)
        try await eventually("all have run") { ran.value == 10_000 }
        try await eventually("a loop that sleeps is woken") {
          loop.core.wake()
          return try eventCount(event) > wakeUps
        }
        await loop.shutdown()
      }
    }
  }
}

/// The count of an eventfd, which the kernel shows in hexadecimal.
private func eventCount(_ descriptor: Int) throws -> Int {
  let line = try descriptorInformation(descriptor)["eventfd-count"]
  return try #require(line.flatMap { Int($0, radix: 16) })
}

/// The eventfd that wakes the loop of this epoll; `nil` if it is none.
private func wakeUpEvent(of descriptor: ResourceAudit.OpenDescriptor) throws -> Int? {
  guard descriptor.target == "anon_inode:[eventpoll]",
    let watched = try descriptorInformation(descriptor.number)["tfd"],
    watched.contains("data:\(String(Epoll.wakeKey, radix: 16))")
  else { return nil }
  return Int(watched.prefix { $0.isNumber })
}
