import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

/// In processes of their own: a signal that nobody waits for would end the tests.
@Suite("A sequence of signals", .serialized, .timeLimit(.minutes(4)))
struct SignalTests {
  @Test("gives a signal that the process receives")
  func toProcess() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let signals = try ProcessSignals(.user1)
        for _ in 0..<20 {
          kill(getpid(), SIGUSR1)
          #expect(await next(of: signals) == .user1)
        }
      }
    }
  }

  @Test("gives a signal that comes before anybody asks")
  func early() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let signals = try ProcessSignals(.user1, .terminate)
        let witness = try ProcessSignals(.terminate)
        #expect(await isDry(signals))
        kill(getpid(), SIGTERM)
        #expect(await next(of: witness) == .terminate)
        #expect(await next(of: signals) == .terminate)
      }
    }
  }

  @Test("gives a signal that any thread receives, the loops' and the pool's too")
  func toThreads() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let signals = try ProcessSignals(.user1)
        for loop in try EventLoopGroup.shared.loops {
          try await onLoop(loop) { signalThisThread(SIGUSR1) }
          #expect(await next(of: signals) == .user1)
        }
        for _ in 0..<8 {
          try await onThread { signalThisThread(SIGUSR1) }
          #expect(await next(of: signals) == .user1)
        }
      }
    }
  }

  @Test("survives a storm of signals at many threads, and the sockets beside it do too (P66, scenario F18)")
  func storm() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let signals = try ProcessSignals(.user1, .user2)
        let loop = try EventLoop()
        let listener = try Listener.bind(to: .loopback(), on: loop)
        let port = try #require(listener.address.port)
        let loopThread = try await onLoop(loop) { pthread_self() }
        let isOver = Count()
        let storms = Task {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for number in [SIGUSR1, SIGUSR2] {
              group.addTask {
                try await onThread {
                  while isOver.value == 0 {
                    pthread_kill(loopThread, number)
                    kill(getpid(), number)
                    usleep(300)
                  }
                }
              }
            }
            try await group.waitForAll()
          }
        }
        let server = Task(executorPreference: loop.executor) {
          let connection = try await listener.accept(on: loop)
          while let chunk = try await connection.read() { try await connection.send(chunk) }
          await connection.close()
        }
        let replies = try await onThread {
          let peer = try BlockingPeer.connect(port: port)
          defer { peer.close() }
          return try (0..<2000).map { number in
            try peer.send("\(number)\n")
            return try peer.receiveLine()
          }
        }
        #expect(replies == (0..<2000).map { "\($0)" })
        for signal in [ProcessSignals.Signal.user1, .user2] {
          while await next(of: signals) != signal {}
        }
        isOver.increase()
        try await storms.value
        try await server.value
        listener.close()
        await loop.shutdown()
      }
    }
  }

  @Test("shares signals with others: each sequence gets its own, each of them once")
  func several() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let both = try ProcessSignals(.user1, .user2)
        let first = try ProcessSignals(.user1)
        let again = try ProcessSignals(.user1)
        kill(getpid(), SIGUSR1)
        for signals in [both, first, again] { #expect(await next(of: signals) == .user1) }
        kill(getpid(), SIGUSR2)
        #expect(await next(of: both) == .user2)
        #expect(await isDry(first))
        #expect(await isDry(again))
      }
    }
  }

  @Test("gives each signal to one of its iterators")
  func iterators() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let signals = try ProcessSignals(.user1, .user2)
        let received = await withTaskGroup(of: ProcessSignals.Signal?.self) { group in
          for _ in 0..<2 { group.addTask { await next(of: signals) } }
          kill(getpid(), SIGUSR1)
          kill(getpid(), SIGUSR2)
          return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(received == [.user1, .user2])
      }
    }
  }

  @Test("ends when somebody has stopped the shared loops, and does not begin then")
  func sharedLoopsStopped() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let signals = try ProcessSignals(.user1)
        kill(getpid(), SIGUSR1)
        #expect(await next(of: signals) == .user1)
        async let waiting = next(of: signals)
        try await EventLoopGroup.shared.shutdown()
        #expect(await waiting == nil)
        #expect(await next(of: signals) == nil)
        #expect(throws: SocketError.loopStopped) { try ProcessSignals(.user2) }
      }
    }
  }

  @Test("ends for a task that is cancelled, and for no other", arguments: [true, false])
  func cancellation(isBefore: Bool) async {
    await #expect(processExitsWith: .success) { [isBefore = isBefore as Bool] in
      await reportingErrors {
        let signals = try ProcessSignals(.user1)
        let other = Task { await next(of: signals) }
        let cancelled = Task { () -> Int in
          var count = 0
          for await _ in signals { count += 1 }
          return count
        }
        if !isBefore { await letSettle(try EventLoopGroup.shared.loops[0]) }
        cancelled.cancel()
        #expect(await cancelled.value == 0)
        kill(getpid(), SIGUSR1)
        #expect(await other.value == .user1)
      }
    }
  }
}
