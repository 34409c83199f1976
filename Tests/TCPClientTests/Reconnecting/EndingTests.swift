import Framing
import TCPClient
import TCPServer
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A client ends")
struct EndingTests {
  private func failed(_ errno: Int32) -> SocketError {
    .failed(Errno(rawValue: errno), call: "connect", address: .loopback(port: 7))
  }

  private func unreachable(_ errnos: Int32...) -> SocketError {
    .connectFailed(
      host: "server", errnos.map { ConnectFailure(address: .loopback(port: 7), error: failed($0)) })
  }

  @Test("by errors that trying again does not help, and by no other")
  func permanentErrors() {
    let (refused, notPermitted, denied): (Int32, Int32, Int32) = (111, 1, 13)
    let transient: [any Error] = [
      failed(refused), unreachable(refused), unreachable(denied, refused), unreachable(),
      SocketError.closed, SocketError.timedOut(operation: "next"),
      SocketError.reset(.init(rawValue: 104), call: "recv", peer: nil),
      SocketError.unresolved(host: "server", reason: "nobody knows it"), SocketError.limit(.idle),
      SocketError.truncated(peer: nil), SocketError.unreadBytes(1), CorrelatorError.ended,
      FramingError.truncated(held: 1, offset: 0), TCPClient.SessionError.disconnected(.idle),
      TCPClient.SessionError.outcomeUnknown(after: SocketError.closed),
    ]
    for error in transient { #expect(!TCPClient.isPermanent(error), "\(error)") }
    let permanent: [any Error] = [
      failed(denied), failed(notPermitted), unreachable(denied), unreachable(denied, notPermitted),
      SocketError.invalid("port"), SocketError.loopStopped, SocketError.busy(operation: "next"),
      SocketError.switched, SocketError.finishedWriting, SocketError.outputFull(queued: 1), Oops(),
      CancellationError(), FramingError.invalidUTF8(offset: 0), CorrelatorError.noID,
      TCPClient.SessionError.queueFull(bytes: 1), TCPClient.SessionError.ended(.finished),
    ]
    for error in permanent { #expect(TCPClient.isPermanent(error), "\(error)") }
  }

  @Test("by what its configuration says is permanent, and by nothing else that it says")
  func ownRule() async throws {
    let log = ClientLog()
    try await withSimulation(seed: 1) { world in
      try await world.host("server").serveLines { try await $0.send("nonsense") }
      let configuration = log.configuration(.fixed(.seconds(1))) { configuration in
        configuration.isPermanent = { error in
          if case FramingError.invalidUTF8 = error { return true }
          return !(error is Oops) && TCPClient.isPermanent(error)
        }
      }
      var count = 0
      await #expect(throws: FramingError.invalidUTF8(offset: 3)) {
        try await TCPClient(to: "server", port: 7, configuration: configuration).run(framing: .lines) { _ in
          count += 1
          if count < 3 { throw Oops() }
          throw FramingError.invalidUTF8(offset: 3)
        }
      }
    }
    #expect(log.connectedCount == 3)
    #expect(log.lines.contains("body failed 1: Oops()"))
    #expect(log.disorder == nil)
  }

  @Test("when its task is cancelled, at once, in its body and in a pause")
  func cancelled() async throws {
    for seconds in [5, 15] {
      let log = ClientLog()
      try await withSimulation(seed: 2) { world in
        try await world.host("server").serveLines { connection in
          try await world.sleep(for: .seconds(10))
        }
        let client = TCPClient(
          to: "server", port: 7, configuration: log.configuration(.fixed(.seconds(3600))))
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            try await client.run(framing: .lines) { while try await $0.next() != nil {} }
          }
          try await world.sleep(for: .seconds(seconds))
          group.cancelAll()
          await #expect(throws: CancellationError.self) { try await group.waitForAll() }
        }
        if world.elapsed > .seconds(seconds) + .seconds(1) { throw Oops() }
        guard case .ended(.cancelled) = client.currentState else { throw Oops() }
      }
      #expect(log.reasons == [seconds == 5 ? .cancelled : .closedByPeer])
      #expect(log.lines.last == "ended: cancelled")
      #expect(log.disorder == nil)
    }
  }

  @Test("without a value when the policy allows no more and its body never had one")
  func noValue() async throws {
    try await withSimulation(seed: 3) { world in
      try await world.host("server").serveEcho()
      let client = TCPClient(
        to: "server", port: 7, configuration: ClientLog().configuration(.fixed(.seconds(1), attempts: 3)))
      let error = await #expect(throws: TCPClient.GaveUp.self) {
        let _: String = try await client.run(framing: .lines) { _ in .reconnect }
      }
      if error?.description != "no value after 3 attempts, and ReconnectPolicy allows no more" {
        throw Oops()
      }
    }
  }

  @Test("and can be run again, but not twice at the same time")
  func again() async throws {
    let log = ClientLog()
    try await withSimulation(seed: 4) { world in
      try await world.host("server").serveEcho()
      let client = TCPClient(to: "server", port: 7, configuration: log.configuration())
      let first: Bool = try await client.run { _ in
        do {
          try await client.run { _ in }
          return .finish(false)
        } catch SocketError.invalid(let problem) {
          return .finish(problem.contains("running already"))
        }
      }
      let second: Bool = try await client.run { _ in .finish(true) }
      if !(first && second) { throw Oops() }
    }
    let one = ["connecting 1", "connected 1", "closed 1: closed by this side", "ended: finished"]
    #expect(log.lines == one + one)
  }

  @Test("of several servers the next is tried after a failure, and the one that proved healthy after its end")
  func rotation() async throws {
    let log = ClientLog()
    let order = try await withSimulation(seed: 5) { world in
      for name in ["one", "two"] {
        try await world.host(name).serveLines { connection in
          if name == "two" { try await connection.send("welcome") }
        }
      }
      _ = world.host("nobody")
      let targets = ["nobody", "one", "two"].map { TCPClient.Target.host($0, port: 7) }
      let client = TCPClient(to: targets, configuration: log.configuration(.fixed(.seconds(1))))
      var count = 0
      try? await client.run(framing: .lines) { connection in
        count += 1
        if count == 4 { throw Oops() }
        _ = try await connection.next()
      }
      return log.events.compactMap { event -> String? in
        if case .connecting(let attempt) = event { "\(attempt.target)" } else { nil }
      }
    }
    #expect(order == ["nobody:7", "one:7", "two:7", "two:7", "two:7"])
  }

  @Test("and its preparation may speak, wrap and condition a connection before it counts")
  func preparing() async throws {
    let log = ClientLog()
    let line = try await withSimulation(seed: 6) { world in
      let host = world.host("server")
      let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
      host.start {
        try await server.run { connection in
          if try await connection.read(exactly: 6) != Array("hello\n".utf8) { throw Oops() }
          try await connection.send("ok\n")
          try await connection.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 7)) }
          for try await line in connection.framed(.lines).inbound { try await connection.send(line + "!\n") }
        }
      }
      let configuration = log.configuration { configuration in
        configuration.preparing = { connection in
          try await connection.send("hello\n")
          guard try await connection.read(exactly: 3) == Array("ok\n".utf8) else { throw Oops() }
          try await connection.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 8)) }
          var limits = connection.limits
          limits.idle = .seconds(3)
          try connection.set(limits)
        }
      }
      let client = TCPClient(to: "server", port: 7, configuration: configuration)
      let line: String = try await client.run(framing: .lines) { connection in
        .finish(try await connection.request("through"))
      }
      await #expect(throws: SocketError.limit(.idle)) {
        try await TCPClient.withConnection(
          to: "server", port: 7, framing: .lines, configuration: configuration
        ) {
          _ = try await $0.next()
        }
      }
      return line
    }
    #expect(line == "through!")
    #expect(log.lines.prefix(3) == ["connecting 1", "connected 1", "healthy 1"])
  }

  @Test("an attempt whose preparation takes too long ends at the time-out")
  func slowPreparation() async throws {
    let log = ClientLog()
    try await withSimulation(seed: 7) { world in
      try await world.host("server").serveEcho()
      let configuration = log.configuration(.never) { configuration in
        configuration.connectTimeout = .seconds(3)
        configuration.preparing = { try await $0.loop.sleep(for: .seconds(60)) }
      }
      await #expect(throws: SocketError.timedOut(operation: "prepare server:7")) {
        try await TCPClient(to: "server", port: 7, configuration: configuration).run { _ in }
      }
      if world.elapsed < .seconds(3) || world.elapsed > .seconds(5) { throw Oops() }
    }
    #expect(log.lines.contains("failed 1: refused: prepare server:7: the deadline passed"))
  }
}
