import AsyncSockets
import Framing
import Glibc
import Peers
import TestHarness
import Testing

@Suite("The system calls of a connection", .timeLimit(.minutes(4)))
struct SystemCallTests {
  @Test("cancelled before it begins, no operation makes a call (P40)", arguments: Route.allCases)
  func cancelledBefore(_ route: Route) async throws {
    let kernel = CountingKernel()
    try await withLink(route, kernel: kernel) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("ready\n")
      try await eventually("it is there") { unreadInKernel(link.connection) == 6 }
      let before = kernel.calls
      let operations: [@Sendable () async throws -> Void] = [
        { _ = try await link.connection.read() },
        { _ = try await link.connection.readBytes(capacity: 10) },
        { for try await _ in link.connection.inbound { return } },
        { _ = try await lines.next() },
        { for try await _ in lines.inbound { return } },
        { try await link.connection.send("x") },
        { try await link.connection.send([]) },
        { try await lines.send("x") },
        { try await link.connection.flush() },
        { try await lines.flush() },
        { try await link.connection.finishWriting() },
        { try await lines.finishWriting() },
        { try await link.loop.sleep(for: .seconds(1)) },
      ]
      for (number, operation) in operations.enumerated() {
        await withTaskGroup(of: Void.self) { group in
          group.cancelAll()
          group.addTask { #expect(await failure(of: operation) is CancellationError, "operation \(number)") }
        }
      }
      #expect(kernel.calls == before)
      #expect(link.connection.counters.bytesAccepted == 0)
      #expect(try await lines.next() == "ready")
    }
  }

  @Test("cancelled before it begins, an accept makes no call (P40)", arguments: Network.allCases)
  func cancelledAccept(_ network: Network) async throws {
    let kernel = CountingKernel()
    let loop = try EventLoop(kernel: kernel)
    let listener = try Listener.bind(to: network.freeAddress, on: loop)
    let address = listener.address
    let peer = try await onThread { try Network.connect(to: address) }
    await withTaskGroup(of: Void.self) { group in
      group.cancelAll()
      group.addTask { #expect(await failure { try await listener.accept(on: loop) } is CancellationError) }
    }
    #expect(kernel.calls.accepts == 0)
    let connection = try await listener.accept(on: loop)
    connection.abort()
    peer.close()
    listener.close()
    await loop.shutdown()
  }

  @Test("what is sent in one turn of the loop goes out in one call", arguments: Network.allCases)
  func oneCallATurn(_ network: Network) async throws {
    let kernel = CountingKernel()
    try await withLink(Route(network: network, isOnLoop: true), kernel: kernel) { link in
      let lines = link.connection.framed(LineFraming())
      for number in 0..<32 { try await lines.send("\(number)") }
      #expect(kernel.calls.sends == 0)
      #expect(link.connection.counters.bytesAccepted > 0)
      await link.loop.nextTurn()
      #expect(kernel.calls.sends == 1)
      #expect(link.connection.queued == 0)
      let text = (0..<32).map { "\($0)\n" }.joined()
      #expect(try await onThread { try link.peer.receive(exactly: text.utf8.count) } == bytes(text))
    }
  }

  @Test("a small request and its reply cost one call each way", arguments: Network.allCases)
  func callsPerMessage(_ network: Network) async throws {
    let kernel = CountingKernel()
    try await withLink(Route(network: network, isOnLoop: true), kernel: kernel) { link in
      let rounds = 50
      async let asking: Void = onThread {
        for _ in 0..<rounds {
          try link.peer.send("ping")
          guard try link.peer.receive(exactly: 4) == bytes("ping") else { return }
        }
        link.peer.close()
      }
      for try await chunk in link.connection.inbound { try await link.connection.send(chunk) }
      try await asking
      #expect(kernel.calls.sends == rounds)
      // A read that finds nothing is not tried again before an event, and one that got less than it asked for
      // needs no second to find nothing.
      #expect(kernel.calls.receives <= rounds + 3)
    }
  }

  @Test("scenario F18: interrupted calls are made again (P66)", arguments: Route.allCases)
  func interrupted(_ route: Route) async throws {
    let storm = Array(repeating: EINTR, count: 7)
    let kernel = CountingKernel(receives: storm, sends: storm, accepts: storm)
    try await withLink(route, kernel: kernel) { link in
      try link.peer.send("ping")
      #expect(try await link.connection.receive(exactly: 4) == bytes("ping"))
      try await link.connection.send("pong")
      #expect(try await onThread { try link.peer.receive(exactly: 4) } == bytes("pong"))
      #expect(kernel.calls.receives > 7 && kernel.calls.sends > 7 && kernel.calls.accepts > 7)
    }
  }

  @Test(
    "a kernel that takes a few bytes at a time changes nothing but the count (P26)", arguments: Route.allCases
  )
  func partialWrites(_ route: Route) async throws {
    let kernel = CountingKernel(largestSend: 7)
    try await withLink(route, kernel: kernel) { link in
      let message = payload(10_000)
      async let received = onThread { try link.peer.receiveToEnd() }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 { group.addTask { try await link.connection.send(message) } }
        try await group.waitForAll()
      }
      try await link.connection.finishWriting()
      #expect(areSame(try await received, message + message + message))
    }
  }

  @Test(
    "a kernel that is short of memory fails that connection, and its reader does not spin (P68)",
    arguments: Route.allCases)
  func failedSend(_ route: Route) async throws {
    let kernel = CountingKernel()
    try await withLink(route, kernel: kernel) { link in
      async let reader = socketError { try await link.connection.read() }
      try await untilReading(link.connection)
      kernel.failSends(with: [ENOBUFS])
      let error = await socketError {
        try await link.connection.send("x")
        try await link.connection.flush()
      }
      guard case .failed(let errno, let call, let peer) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(errno.name == "ENOBUFS" && call == "send" && peer == link.connection.peerAddress)
      #expect(await reader == error)
      #expect(await socketError { try await link.connection.read() } == error)
      #expect(link.connection.closeReason == .failed(errno, call: "send"))
    }
  }

  @Test("a spurious event costs a call and is forgotten (P68)", arguments: Route.allCases)
  func spuriousEvents(_ route: Route) async throws {
    let kernel = CountingKernel(receives: Array(repeating: EAGAIN, count: 3))
    try await withLink(route, kernel: kernel) { link in
      async let received = link.connection.read()
      for (round, character) in ["a", "b", "c"].enumerated() {
        try await eventually("it was tried, and somebody waits") {
          kernel.calls.receives == round + 1 && hasReader(link.connection)
        }
        try link.peer.send(character)
      }
      #expect(try await received == bytes("abc"))
    }
  }
}
