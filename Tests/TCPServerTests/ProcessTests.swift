import Framing
import Glibc
import Peers
import Synchronization
import TCPServer
import TestHarness
import TestSupport
import Testing

@Suite("A server in its process", .serialized, .timeLimit(.minutes(4)))
struct ProcessTests {
  @Test("children that are started under load inherit no descriptor of ours (P04)")
  func nothingIsInherited() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let list = ["-l", "/proc/self/fd"]
        func inherited() async throws -> [String] {
          try await withChildProcess("ls", list) { child in
            String(decoding: try await child.readToEnd(), as: UTF8.self).split(separator: "\n")
              .compactMap { $0.split(separator: " ").suffix(3).joined(separator: " ") }
              .filter { $0.contains("->") && Int($0.prefix { $0 != " " }).map { $0 > 2 } == true }
              // The directory that it is reading.
              .filter { !$0.contains("/proc/") }
          }
        }
        // What the process itself was started with.
        let before = try await inherited()
        try await underLoad { _ in
          for _ in 0..<(isSlowRun ? 200 : 40) {
            let now = try await inherited()
            #expect(now == before)
          }
        }
      }
    }
  }

  @Test("every socket and event descriptor is close-on-exec (P04)")
  func closeOnExec() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        // What the process itself was started with.
        let before = Set(ResourceAudit.openDescriptors())
        try await underLoad { _ in
          var count = 0
          for entry in ResourceAudit.openDescriptors().filter({ !before.contains($0) })
          where ["socket:", "anon_inode:[event"].contains(where: { entry.target.hasPrefix($0) }) {
            // Load opens and closes them all the time.
            guard let text = try? contents(of: "/proc/self/fdinfo/\(entry.number)") else { continue }
            let flags = text.split(separator: "\n").first { $0.hasPrefix("flags:") }?.split(separator: "\t")
              .last
            let bits = try #require(flags.flatMap { Int($0, radix: 8) })
            #expect(bits & Int(O_CLOEXEC) != 0, "\(entry)")
            count += 1
          }
          #expect(count > 10)
        }
      }
    }
  }

  @Test("a child that lives on does not keep a connection open (P67)")
  func childDoesNotHoldConnections() async throws {
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming()) { connection in
        _ = try await connection.next()
      } body: { server in
        let peer = try await server.connect()
        try await withChildProcess("sleep", ["1000"]) { _ in
          try peer.send("go\n")
          try await onThread { try peer.expectEnd() }
        }
        peer.close()
      }
    }
  }

  @Test("signals that interrupt the loop a thousand times a second are invisible (P66)")
  func interruptedSystemCalls() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        installSignalHandler(SIGUSR1)
        // Made on a thread that blocks no signal, as a loop that is made by the runtime's threads would.
        let loop = try await onThread { try EventLoop() }
        let group = try EventLoopGroup([loop])
        try await Environment.$current.withValue(Environment(loops: group)) {
          let thread = Shared<pthread_t?>(nil)
          try await withServer(framing: LineFraming()) { connection in
            thread.set(pthread_self())
            try await echo(connection)
          } body: { server in
            let peer = try await server.connect()
            #expect(try await peer.ask("hello") == "hello")
            let target = try #require(thread.value)
            let isOver = Shared(false)
            async let interrupting: Void = onThread {
              while !isOver.value {
                pthread_kill(target, SIGUSR1)
                giveOthersAMoment()
              }
            }
            let payload = String(repeating: "0123456789", count: 100)
            try await onThread {
              for number in 0..<500 {
                try peer.send("\(number) \(payload)\n")
                try peer.expectLine("\(number) \(payload)")
                // Now and then the loop sleeps in its wait.
                if number % 5 == 0 { giveOthersAMoment() }
              }
            }
            isOver.set(true)
            try await interrupting
            #expect(signalCount.load(ordering: .relaxed) > 50)
            peer.close()
          }
        }
        await group.shutdown()
      }
    }
  }
}

/// How many signals have arrived.
private let signalCount = Atomic(0)

private func countSignal(_ number: Int32) { signalCount.add(1, ordering: .relaxed) }

/// Without SA_RESTART, so that system calls do end with EINTR.
private func installSignalHandler(_ number: Int32) {
  signalCount.store(0, ordering: .relaxed)
  var action = sigaction()
  unsafe action.__sigaction_handler.sa_handler = countSignal
  _ = unsafe sigaction(number, &action, nil)
}

/// Runs `body` beside a server whose clients come, talk and go without pause.
private func underLoad(_ body: (TCPServer) async throws -> Void) async throws {
  try await withAuditedLoops(count: 2) { _ in
    try await withServer(framing: LineFraming(), handler: echo) { server in
      let port = server.port
      let isOver = Shared(false)
      let conversations = Shared(0)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<2 {
          group.addTask {
            try await onThread {
              while !isOver.value {
                let peers = try (0..<10).map { _ in try BlockingPeer.connect(port: port) }
                for peer in peers { try peer.send("hello\n") }
                for peer in peers { try peer.expectLine("hello") }
                conversations.increase()
                for peer in peers { peer.close() }
              }
            }
          }
        }
        try await eventually("the load has begun") { conversations.value > 4 }
        do {
          try await body(server)
        } catch {
          isOver.set(true)
          throw error
        }
        isOver.set(true)
        try await group.waitForAll()
      }
    }
  }
}
