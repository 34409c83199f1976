import AsyncSockets
import Framing
import Glibc
import Peers
import TestHarness
import Testing

@Suite("A connection and its process", .timeLimit(.minutes(4)))
struct ProcessTests {
  @Test(
    "writing to dead peers raises no SIGPIPE, and its disposition is untouched (P65)",
    arguments: Route.allCases)
  func brokenPipes(_ route: Route) async throws {
    let count = rounds(100, slow: 10_000)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let source = try ConnectionSource(route.network, on: loop)
      defer { source.close() }
      #expect(sigpipeIsDefault())
      for round in 0..<count {
        let link = try await source.next()
        if round.isMultiple(of: 2), route.network != .unix {
          try link.peer.reset()
        } else {
          link.peer.close()
        }
        try await run(route, on: loop) {
          let error = await socketError {
            while true {
              try await link.connection.send("x")
              try await link.connection.flush()
            }
          }
          #expect(error?.tellsOfPeerGone == true)
          // And once more, when the kernel has told.
          #expect(await socketError { try await link.connection.send("x") } == error)
        }
        link.connection.abort()
      }
      #expect(sigpipeIsDefault())
    }
  }

  @Test("scenario F18: signals that interrupt calls are invisible (P66)", arguments: Route.allCases)
  func signals(_ route: Route) async throws {
    catchSignalWithoutRestart()
    try await withLink(route) { link in
      let loopThread = try await threadOfLoop(link.loop)
      let isDone = Count()
      let count = rounds(300, slow: 30_000)
      async let signalling = onThread {
        var sent = 0
        while isDone.value == 0 {
          interrupt(loopThread)
          sent += 1
          // A thousand a second.
          usleep(1000)
        }
        return sent
      }
      async let answered = onThread {
        var answered = 0
        for round in 0..<count {
          let message = payload(2000, seed: UInt8(truncatingIfNeeded: round))
          try link.peer.send(message)
          if areSame(try link.peer.receive(exactly: 2000), message) { answered += 1 }
        }
        link.peer.close()
        return answered
      }
      for try await chunk in link.connection.inbound { try await link.connection.send(chunk) }
      isDone.increase()
      #expect(try await answered == count)
      #expect(try await signalling > 0)
    }
  }

  @Test(
    "scenario F19: descriptors are close-on-exec and nonblocking, and gone when closed",
    arguments: Network.allCases)
  func descriptors(_ network: Network) async throws {
    let count = rounds(100, slow: 1000)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let source = try ConnectionSource(network, on: loop)
      defer { source.close() }
      var targets: Set<String> = []
      for round in 0..<count {
        let link = try await source.next()
        let number = try #require(descriptorNumber(of: link.connection))
        #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(number, F_GETFL) & O_NONBLOCK != 0)
        let target = ResourceAudit.openDescriptors().first { $0.number == Int(number) }?.target
        targets.insert(try #require(target))
        link.peer.close()
        if round.isMultiple(of: 2) { await link.connection.close() } else { link.connection.abort() }
      }
      #expect(targets.count == count)
      let left = ResourceAudit.openDescriptors().filter { targets.contains($0.target) }
      #expect(left.isEmpty)
    }
  }

  @Test("more connections than one batch of events holds are all served (P69)")
  func manyAtOnce() async throws {
    let count = rounds(700, slow: 5_000)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let source = try ConnectionSource(.unix, on: loop)
      defer { source.close() }
      var links: [Link] = []
      defer { for link in links { link.connection.abort() } }
      for _ in 0..<count { links.append(try await source.next()) }
      let served = Count()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, link) in links.enumerated() {
          group.addTask(executorPreference: loop.executor) {
            let line = try await link.connection.framed(LineFraming()).next()
            if line == "\(number)" { served.increase() }
          }
        }
        try await eventually("all of them wait") { links.allSatisfy { hasReader($0.connection) } }
        let peers = links.map(\.peer)
        try await onThread {
          for (number, peer) in peers.enumerated() { try peer.send("\(number)\n") }
        }
        try await group.waitForAll()
      }
      #expect(served.value == count)
    }
  }
}

private func sigpipeIsDefault() -> Bool {
  var action = sigaction()
  guard unsafe sigaction(SIGPIPE, nil, &action) == 0 else { return false }
  return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 0
}

/// SIGURG, since its default is to do nothing, so that one that comes late harms nobody.
private func catchSignalWithoutRestart() {
  var action = sigaction()
  unsafe action.__sigaction_handler.sa_handler = { _ in }
  unsafe sigaction(SIGURG, &action, nil)
}

/// A loop's thread, which from now on takes the signal.
private func threadOfLoop(_ loop: EventLoop) async throws -> pthread_t {
  try await withThrowingTaskGroup(of: pthread_t.self) { group in
    group.addTask(executorPreference: loop.executor) {
      var signals = sigset_t()
      unsafe sigemptyset(&signals)
      unsafe sigaddset(&signals, SIGURG)
      unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      return pthread_self()
    }
    return try await group.next() ?? 0
  }
}

private func interrupt(_ thread: pthread_t) {
  pthread_kill(thread, SIGURG)
}
