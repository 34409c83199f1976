import Framing
import Glibc
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("Errors of accept(2)", .timeLimit(.minutes(4)))
struct AcceptErrorTests {
  @Test(
    "an error that concerns one connection, or the network behind it, is survived ten times over (P11)",
    arguments: [
      EINTR, ECONNABORTED, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET,
      EOPNOTSUPP,
      ETIMEDOUT, EPERM,
    ])
  func retriedErrors(errno: Int32) async throws {
    let log = EventLog()
    let kernel = ScriptedKernel()
    try await withLoop(on: kernel) { _ in
      try await withServer(
        framing: LineFraming(), configuration: log.configuration(), handler: echo
      ) { server in
        kernel.failNext(Array(repeating: errno, count: 10))
        let peer = try await server.connect()
        #expect(try await peer.ask("hello") == "hello")
        peer.close()
        try await log.untilClosed(1)
      }
    }
    #expect(kernel.attempts > 10)
    figure("P11", "accept errors \(errno) in a row, survived", kernel.attempts > 10 ? 10 : kernel.attempts)
    #expect(log.reasons == [.closedByPeer])
    #expect(log.pauses == [])
  }

  @Test(
    "a shortage is waited out, ten times over, and told once (P11)",
    arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
  func shortages(errno: Int32) async throws {
    let log = EventLog()
    let kernel = ScriptedKernel()
    let clock = ManualClock()
    try await withLoop(on: kernel, clock: clock) { _ in
      try await withServer(
        framing: LineFraming(), configuration: log.configuration(), handler: echo
      ) { server in
        kernel.failNext(Array(repeating: errno, count: 10))
        let peer = try await server.connect()
        try await eventually("the client is accepted") {
          clock.advance(by: .milliseconds(100))
          return log.accepted.count == 1
        }
        #expect(try await peer.ask("hello") == "hello")
        peer.close()
        try await log.untilClosed(1)
      }
    }
    figure("P11", "accept errors \(errno) in a row, survived", 10)
    #expect(log.reasons == [.closedByPeer])
    #expect(log.pauses == ["paused", "resumed"])
  }

  @Test(
    "during a shortage accept is tried ten times a second, no oftener, and each episode is told once (P09)")
  func pace() async throws {
    let log = EventLog()
    let kernel = ScriptedKernel()
    let clock = ManualClock()
    try await withLoop(on: kernel, clock: clock) { _ in
      try await withServer(
        framing: LineFraming(), configuration: log.configuration(), handler: echo
      ) { server in
        let first = try await server.connect()
        #expect(try await first.ask("hello") == "hello")
        for episode in 1...3 {
          kernel.fail(EMFILE)
          let waiting = try await server.connect()
          try await eventually("the shortage is noticed") { log.pauses.count == 2 * episode - 1 }
          let start = kernel.attempts
          for pause in 1...5 {
            // Who is served already goes on, and the listener sleeps until its pause is over.
            #expect(try await first.ask("between") == "between")
            #expect(kernel.attempts == start + pause - 1)
            clock.advance(by: .milliseconds(99))
            #expect(try await first.ask("between") == "between")
            #expect(kernel.attempts == start + pause - 1)
            clock.advance(by: .milliseconds(1))
            try await eventually("another attempt is made") { kernel.attempts == start + pause }
          }
          kernel.fail(nil)
          clock.advance(by: .milliseconds(100))
          #expect(try await waiting.ask("hello") == "hello")
          waiting.close()
          try await log.untilClosed(episode)
        }
        first.close()
      }
    }
    #expect(log.pauses == ["paused", "resumed", "paused", "resumed", "paused", "resumed"])
  }

  @Test("a shortage ends as soon as a connection of ours does, without waiting for the clock (P10)")
  func freedDescriptor() async throws {
    let log = EventLog()
    let kernel = ScriptedKernel()
    try await withLoop(on: kernel, clock: ManualClock()) { _ in
      try await withServer(
        framing: LineFraming(), configuration: log.configuration(), handler: echo
      ) { server in
        let first = try await server.connect()
        #expect(try await first.ask("hello") == "hello")
        kernel.fail(EMFILE)
        let waiting = try await server.connect()
        try await eventually("the shortage is noticed") { log.pauses == ["paused"] }
        let attempts = kernel.attempts
        #expect(try await first.ask("still served") == "still served")
        #expect(kernel.attempts == attempts)
        kernel.fail(nil)
        first.close()
        #expect(try await waiting.ask("served now") == "served now")
        waiting.close()
        try await log.untilClosed(2)
      }
    }
    #expect(log.pauses == ["paused", "resumed"])
  }

  @Test("a server that shuts down during a shortage does not wait for its end")
  func drainDuringShortage() async throws {
    let log = EventLog()
    let kernel = ScriptedKernel()
    try await withLoop(on: kernel, clock: ManualClock()) { _ in
      try await withServer(
        framing: LineFraming(), configuration: log.configuration(), handler: echo
      ) { server in
        kernel.fail(EMFILE)
        let waiting = try await server.connect()
        try await eventually("the shortage is noticed") { log.pauses == ["paused"] }
        await server.drain()
        try await onThread { try waiting.expectNothing() }
        waiting.close()
      }
    }
    #expect(log.accepted == [])
  }

  @Test(
    "an error that says the listener is none is told at once and ends the run after those who are served (P11, P16)",
    arguments: [EBADF, EINVAL, ENOTSOCK])
  func fatalErrors(errno: Int32) async throws {
    let log = EventLog()
    let kernel = ScriptedKernel()
    try await withLoop(on: kernel) { _ in
      let server = try await TCPServer.bind(on: .loopback(), configuration: log.configuration())
      async let running: Void = server.run(framing: LineFraming(), echo)
      let first = try await server.connect()
      #expect(try await first.ask("hello") == "hello")
      kernel.fail(errno)
      let second = try await server.connect()
      try await onThread { try second.expectNothing() }
      second.close()
      let expected = SocketError.failed(Errno(rawValue: errno), call: "accept", address: server.address)
      #expect(log.listenerFailures == [expected])
      #expect(try await first.ask("still served") == "still served")
      first.close()
      var thrown: (any Error)?
      do { try await running } catch { thrown = error }
      #expect(thrown as? SocketError == expected)
    }
    #expect(log.reasons == [.closedByPeer])
  }
}
