import Framing
import Glibc
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("Having a port again", .timeLimit(.minutes(4)))
struct RebindTests {
  @Test("scenario G18: a server that had connections leaves its port to the next one at once")
  func rebind() async throws {
    try await withAuditedLoops { _ in
      var address = try SocketAddress.ownLoopback()
      for _ in 0..<20 {
        let server = try await TCPServer.bind(on: address)
        if address.port != 0 { #expect(server.address == address) }
        address = server.address
        // The server ends these connections first, so that it is its port that lies in TIME_WAIT.
        try await withRunning(server, framing: LineFraming()) { connection in
          try await connection.send("goodbye")
        } body: { server in
          for peer in try await server.connect(count: 3) {
            try await onThread { try peer.expectEnd(after: "goodbye\n") }
            peer.close()
          }
        }
      }
    }
  }

  @Test(
    "a second server on a live one's port is refused, with the errno and the address in the message (P18)")
  func secondBind() async throws {
    try await withAuditedLoops { _ in
      try await withServer(framing: LineFraming(), handler: echo) { server in
        let error = await #expect(throws: SocketError.self) {
          try await TCPServer.bind(on: server.address)
        }
        #expect("\(try #require(error))" == "bind \(server.address): EADDRINUSE (Address already in use)")
        let peer = try await server.connect()
        #expect(try await peer.ask("unharmed") == "unharmed")
        peer.close()
      }
    }
  }

  @Test("a Unix socket's path is taken while the server lives, and gone afterwards")
  func unixPath() async throws {
    let path = "/tmp/tcpserver-tests-\(ProcessFacts.own.id)-\(UInt32.random(in: 0 ... .max)).sock"
    try await withAuditedLoops { _ in
      try await withServer(on: .unix(path: path), framing: LineFraming(), handler: echo) { server in
        let error = await #expect(throws: SocketError.self) { try await TCPServer.bind(on: server.address) }
        #expect("\(try #require(error))" == "bind unix:\(path): EADDRINUSE (Address already in use)")
        let peer = try await onThread { try BlockingPeer.connect(unixPath: path) }
        #expect(try await peer.ask("hello") == "hello")
        peer.close()
      }
      #expect(try !names(in: "/tmp").contains { "/tmp/\($0)" == path })
    }
  }

  @Test("a path too long for a Unix socket is refused in words")
  func longPath() async throws {
    let path = "/tmp/" + String(repeating: "x", count: 200)
    let error = await #expect(throws: SocketError.self) { try await TCPServer.bind(on: .unix(path: path)) }
    let message = "\(try #require(error))"
    #expect(message.contains("205 bytes"))
    #expect(message.contains("107"))
  }

  @Test(
    "a server killed with live connections leaves its port to its successor at once (P18)")
  func killed() async throws {
    let host = try SocketAddress.ownLoopback().host
    var port: UInt16 = 0
    let clock = ContinuousClock()
    var (killed, times) = (clock.now, [Duration]())
    for _ in 0..<5 {
      try await withRot13(["--host", host, "--port", "\(port)"]) { server in
        if port != 0 {
          #expect(server.port == port)
          times.append(clock.now - killed)
        }
        port = server.port
        let peers = try await onThread { [port] in
          try (0..<20).map { _ in try BlockingPeer.connect(port: port, host: host) }
        }
        for peer in peers { #expect(try await peer.ask("uryyb") == "hello") }
        server.process.signal(SIGKILL)
        #expect(try await server.process.waitForExit() == .signalled(SIGKILL))
        killed = clock.now
        for peer in peers { peer.close() }
      }
    }
    let slowest = times.max() ?? .zero
    figure(
      "P18", "successors that listen on its port, the process started within",
      "4 of 4, \(slowest.inMilliseconds)")
  }
}
