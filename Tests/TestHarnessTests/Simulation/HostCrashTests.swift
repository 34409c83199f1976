import AsyncSockets
import Framing
import Synchronization
import TCPServer
import TestHarness
import Testing

/// Hosts that crash and come back.
@Suite struct HostCrashTests {
  /// What survives a crash.
  private final class Disk: Sendable {
    let boots = Atomic<Int>(0)
    let writes = Atomic<Int>(0)
  }

  private static func echo(on host: SimulatedHost, port: UInt16 = 7) {
    host.start {
      try await TCPServer.serve(on: .any(port: port), framing: .lines) { connection in
        for try await line in connection.inbound { try await connection.send(line) }
      }
    }
  }

  private static func ask(_ world: SimulatedWorld, _ question: String) async throws -> String? {
    try await Connector().withConnection(to: "server", port: 7) { connection in
      let lines = connection.framed(.lines)
      try await lines.send(question)
      return try await lines.next(deadline: .after(.seconds(5)))
    }
  }

  @Test("a crash tells nobody: who only waits hears nothing, even after the host is back")
  func silence() async throws {
    try await withSimulation(seed: 1) { world in
      let server = world.host("server")
      Self.echo(on: server)
      try await world.host("client").run {
        try await eventuallyConnected(world, to: "server") { connection in
          let lines = connection.framed(.lines)
          try await lines.send("before")
          #expect(try await lines.next() == "before")
          server.crash()
          for _ in 0..<2 {
            let error = await #expect(throws: SocketError.self) {
              try await connection.read(deadline: .after(.seconds(3600)))
            }
            #expect(error.map { "\($0)".contains("deadline") } == true)
            server.restart()
          }
        }
      }
    }
  }

  @Test("what is sent to a host that is down is repeated, and answered by a reset when it is back")
  func resetAfterRestart() async throws {
    try await withSimulation(seed: 2) { world in
      let server = world.host("server")
      Self.echo(on: server)
      try await world.host("client").run {
        try await eventuallyConnected(world, to: "server") { connection in
          server.crash()
          try await connection.send("anybody?\n")
          try await world.sleep(for: .seconds(10))
          #expect(connection.closeReason == nil)
          server.restart()
          let back = world.elapsed
          await #expect { try await connection.read() } throws: { "\($0)".contains("ECONNRESET") }
          // Repeated after 0.2 s, 0.6 s, 1.4 s, … 12.6 s.
          #expect(world.elapsed - back < .seconds(3))
        }
      }
    }
  }

  @Test("keepalive finds a host that is down by its silence, and one that has come back by its reset")
  func keepAlive() async throws {
    for comesBack in [false, true] {
      try await withSimulation(seed: 3) { world in
        let server = world.host("server")
        Self.echo(on: server)
        try await world.host("client").run {
          var connector = Connector()
          connector.options.socketOptions = [
            .keepAlive(idle: .seconds(60), interval: .seconds(10), count: 3)
          ]
          try await world.sleep(for: .seconds(1))
          let connection = try await connector.connect(to: "server", port: 7)
          defer { connection.abort() }
          try await world.sleep(for: .seconds(1000))
          #expect(connection.closeReason == nil)
          server.crash()
          let begin = world.elapsed
          if comesBack { server.restart() }
          let error = await #expect(throws: SocketError.self) { try await connection.read() }
          let time = world.elapsed - begin
          #expect(error.map { "\($0)".contains(comesBack ? "ECONNRESET" : "ETIMEDOUT") } == true)
          #expect(time <= .seconds(comesBack ? 60 : 90) && (comesBack || time > .seconds(30)), "\(time)")
        }
      }
    }
  }

  @Test("data for a host that stays down is given up after fifteen minutes")
  func downForGood() async throws {
    try await withSimulation(seed: 3) { world in
      let server = world.host("server")
      Self.echo(on: server)
      try await world.host("client").run {
        try await eventuallyConnected(world, to: "server") { connection in
          server.crash()
          let begin = world.elapsed
          try await connection.send("anybody?\n")
          await #expect { try await connection.read() } throws: { "\($0)".contains("ETIMEDOUT") }
          let time = world.elapsed - begin
          #expect(time > .seconds(924) && time < .seconds(926), "\(time)")
        }
      }
    }
  }

  @Test("nobody connects to a host that is down; who tries on is connected when it is back")
  func connecting() async throws {
    try await withSimulation(seed: 4) { world in
      let server = world.host("server")
      Self.echo(on: server)
      try await world.host("client").run {
        try await eventuallyConnected(world, to: "server") { _ in }
        server.crash()
        await #expect(throws: SocketError.self) { _ = try await Connector().connect(to: "server", port: 7) }
        var patient = Connector()
        patient.deadline = .never
        async let connection = patient.connect(to: server.address.withPort(7))
        try await world.sleep(for: .seconds(5))
        server.restart()
        try await connection.abort()
      }
    }
  }

  @Test("a service begins anew with each boot; what it captured survives, what it made does not")
  func services() async throws {
    let disk = Disk()
    try await withSimulation(seed: 5) { world in
      let server = world.host("server")
      server.start {
        disk.boots.add(1, ordering: .relaxed)
        var memory = 0
        while true {
          try await world.sleep(for: .seconds(1))
          memory += 1
          disk.writes.store(memory, ordering: .relaxed)
        }
      }
      try await world.sleep(for: .milliseconds(5500))
      #expect(disk.writes.load(ordering: .relaxed) == 5)
      server.crash()
      try await world.sleep(for: .seconds(60))
      #expect(disk.writes.load(ordering: .relaxed) == 5)
      server.restart()
      try await world.sleep(for: .milliseconds(2500))
      #expect(disk.boots.load(ordering: .relaxed) == 2)
      #expect(disk.writes.load(ordering: .relaxed) == 2)
    }
  }

  @Test("what is started on a host that is down begins when it boots")
  func startedWhileDown() async throws {
    try await withSimulation(seed: 6) { world in
      let server = world.host("server")
      server.crash()
      Self.echo(on: server)
      server.restart(after: .seconds(30))
      try await world.sleep(for: .seconds(31))
      let answer = try await world.host("client").run { try await Self.ask(world, "up?") }
      #expect(answer == "up?")
    }
  }

  @Test("what runs on a host is cancelled when it crashes, and its caller is told and goes on")
  func callers() async throws {
    try await withSimulation(seed: 7) { world in
      let client = world.host("client")
      let wasCancelled = Latch()
      async let crash: Void = {
        try await world.sleep(for: .seconds(1))
        client.crash()
      }()
      await #expect(throws: HostCrashed.self) {
        try await client.run {
          defer { if Task.isCancelled { wasCancelled.open() } }
          try await world.sleep(for: .seconds(60))
        }
      }
      try await crash
      #expect(wasCancelled.isOpen && !Task.isCancelled && world.elapsed == .seconds(1))
      // Neither can anybody begin something on it.
      let error = await #expect(throws: HostCrashed.self) {
        _ = try await client.run { try await Self.ask(world, "?") }
      }
      #expect(error?.host == "client")
      let answer = await client.run { 42 }
      #expect(answer == 42)
    }
  }

  @Test("an old process can touch nothing of the new one's")
  func oldProcess() async throws {
    try await withSimulation(seed: 8) { world in
      let server = world.host("server")
      let isBack = Latch()
      let stray = try await server.run {
        let listener = try Listener.bind(to: .any(port: 7), on: world.loop)
        // A task that nobody cancels: it goes on when the machine on which it ran is long gone.
        return Task {
          _ = await isBack.wait(on: world.loop)
          defer { listener.close() }
          #expect { try Listener.bind(to: .any(port: 8), on: world.loop) } throws: {
            "\($0)".contains("ENETDOWN")
          }
          await #expect { _ = try await listener.accept(on: world.loop) } throws: {
            "\($0)".contains("EBADF")
          }
        }
      }
      server.crash()
      server.restart()
      // The port is free, and so is each of its descriptors.
      world.setDescriptorLimit(1, of: server)
      let listener = try await server.run { try Listener.bind(to: .any(port: 7), on: world.loop) }
      isBack.open()
      await stray.value
      world.setDescriptorLimit(2, of: server)
      async let accepted = listener.accept(on: world.loop)
      let connection = try await world.host("client").run {
        try await Connector().connect(to: "server", port: 7)
      }
      for end in [connection, try await accepted] { end.abort() }
      listener.close()
    }
  }

  @Test("a killed process ends its connections in order: by a FIN, or by a reset where it has not read all")
  func kill() async throws {
    try await withSimulation(seed: 9) { world in
      let (server, client) = (world.host("server"), world.host("client"))
      Self.echo(on: server)
      try await client.run {
        try await eventuallyConnected(world, to: "server") { connection in
          let lines = connection.framed(.lines)
          try await lines.send("hello")
          #expect(try await lines.next() == "hello")
          server.kill()
          #expect(try await lines.next() == nil)
        }
        await #expect { _ = try await Connector().connect(to: server.address.withPort(7)) } throws: {
          "\($0)".contains("ECONNREFUSED")
        }
      }
      #expect(!server.isRunning)
      server.restart()
      try await world.sleep(for: .seconds(1))
      let answer = try await client.run { try await Self.ask(world, "again?") }
      #expect(answer == "again?")
    }
    try await withSimulatedPair { world, pair in
      try await pair.near.send("unread")
      try await world.sleep(for: .seconds(1))
      world.host("server").kill()
      await #expect { try await pair.near.read() } throws: { "\($0)".contains("ECONNRESET") }
      await #expect(throws: SocketError.self) { try await pair.far.read() }
    }
  }

  @Test("the file of a Unix socket outlives its process, and not its machine")
  func unixFiles() async throws {
    try await withSimulation(seed: 10) { world in
      let server = world.host("server")
      @Sendable func connect() async -> String {
        await server.run {
          do {
            try await Connector().connect(to: .unix(path: "/run/it")).abort()
            return "connected"
          } catch {
            return "\(error)"
          }
        }
      }
      server.start {
        let listener = try Listener.bind(to: .unix(path: "/run/it"), on: world.loop)
        defer { listener.close() }
        try await world.sleep(for: .seconds(3600))
      }
      try await world.sleep(for: .seconds(1))
      #expect(await connect() == "connected")
      server.kill()
      server.restart()
      try await world.sleep(for: .seconds(1))
      // The new process has taken the stale file over.
      #expect(await connect() == "connected")
      server.crash()
      server.restart()
      #expect(await connect().contains("ENOENT"))
      try await world.sleep(for: .seconds(1))
      #expect(await connect() == "connected")
    }
  }

  @Test("a host that restarts has crashed before, and the body's own host cannot")
  func edges() async throws {
    try await withSimulation(seed: 11) { world in
      let server = world.host("server")
      let boots = Disk()
      server.start { boots.boots.add(1, ordering: .relaxed) }
      try await world.sleep(for: .seconds(1))
      server.restart()
      server.crash()
      server.crash()
      server.restart()
      try await world.sleep(for: .seconds(1))
      // Of the process between nothing was ever seen.
      #expect(boots.boots.load(ordering: .relaxed) == 2)
    }
    let failure = await #expect(throws: SimulationFailure.self) {
      try await withSimulation(seed: 11) { world in world.host("localhost").crash() }
    }
    let text = failure.map { "\($0.underlying)" } ?? ""
    #expect(text.contains("\"localhost\" cannot crash"))
  }

  @Test("a crash among clients runs the same way twice with every seed")
  func replay() async throws {
    try await withSimulations(seeds: 0..<20) { world in
      let server = world.host("server")
      Self.echo(on: server)
      async let crashes: Void = {
        for _ in 0..<3 {
          try await world.sleep(for: world.random(in: .zero ... .seconds(5)))
          server.crash()
          try await world.sleep(for: world.random(in: .zero ... .seconds(5)))
          server.restart()
        }
      }()
      try await withThrowingTaskGroup { group in
        for client in 0..<3 {
          group.addTask {
            try await world.host("client-\(client)").run {
              var answers = 0
              while answers < 5 {
                do {
                  if try await Self.ask(world, "\(answers)") == "\(answers)" { answers += 1 }
                } catch is SocketError {}
                try await world.sleep(for: .seconds(1))
              }
            }
          }
        }
        try await group.waitForAll()
      }
      try await crashes
    }
  }
}

/// Connects to port 7 of a host on which a server may not listen yet.
func eventuallyConnected(
  _ world: SimulatedWorld, to host: String, _ body: (Connection) async throws -> Void
) async throws {
  while true {
    do {
      let connection = try await Connector().connect(to: host, port: 7)
      defer { connection.abort() }
      return try await body(connection)
    } catch SocketError.connectFailed {
      try await world.sleep(for: .milliseconds(100))
    }
  }
}
