import Glibc
import Peers
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("The file of a Unix listener", .timeLimit(.minutes(4)))
struct UnixSocketFileTests {
  @Test("that a dead process left behind is taken over (scenario G21)")
  func stale() async throws {
    try await withLoop { loop in
      let address = Network.unix.freeAddress
      let path = try #require(address.path)
      try leaveSocket(at: path)
      let listener = try Listener.bind(to: address, on: loop)
      let (peer, connection) = try await Door(listener: listener, loop: loop).pair()
      connection.abort()
      peer.close()
      listener.close()
      #expect(unsafe access(path, F_OK) != 0)
    }
  }

  @Test("is left to a listener that lives, which notices nothing, and to one that does not listen yet")
  func live() async throws {
    try await withListener(.unix) { door in
      let inUse = SocketError.failed(.addressInUse, call: "bind", address: door.address)
      #expect(throws: inUse) { try Listener.bind(to: door.address, on: door.loop) }
      guard case .nothing = try door.acceptNow(on: door.loop, options: ConnectionOptions()) else {
        Issue.record("the listener was connected to")
        return
      }
    }
    try await withLoop { loop in
      let address = Network.unix.freeAddress
      let path = try #require(address.path)
      let kernel = LinuxKernel.shared
      let early = Int32(kernel.socket(family: AF_UNIX))
      #expect(kernel.bind(early, to: address) == 0)
      #expect(throws: SocketError.self) { try Listener.bind(to: address, on: loop) }
      #expect(kernel.listen(early, backlog: 1) == 0)
      let peer = try await onThread { try BlockingPeer.connect(unixPath: path) }
      peer.close()
      close(early)
      unsafe unlink(path)
    }
  }

  @Test("that somebody takes over at the same moment is left to them")
  func lostRace() async throws {
    let address = Network.unix.freeAddress
    let path = try #require(address.path)
    let kernel = ReplacingKernel()
    try await withLoop(kernel: kernel) { loop in
      try leaveSocket(at: path)
      defer { unsafe unlink(path) }
      #expect(throws: SocketError.failed(.addressInUse, call: "bind", address: address)) {
        try Listener.bind(to: address, on: loop)
      }
      #expect(unsafe access(path, F_OK) == 0)
    }
  }

  @Test("does not exist for an abstract name, which is free again after the close")
  func abstract() async throws {
    try await withLoop { loop in
      let address = SocketAddress.unix(abstract: "asyncsockets-\(getpid())-\(UInt64.random(in: 0 ... .max))")
      for _ in 0..<2 {
        let listener = try Listener.bind(to: address, on: loop)
        #expect(listener.address == address)
        #expect(throws: SocketError.failed(.addressInUse, call: "bind", address: address)) {
          try Listener.bind(to: address, on: loop)
        }
        let connection = try await connector(on: loop).connect(to: address)
        let accepted = try await listener.accept(on: loop)
        #expect(connection.peerAddress == address)
        #expect(accepted.localAddress == address)
        try await connection.send("hi")
        #expect(try await accepted.receive(exactly: 2) == Array("hi".utf8))
        connection.abort()
        accepted.abort()
        listener.close()
      }
    }
  }
}

/// A kernel in which the file that looked dead is another by the time it would be removed.
private final class ReplacingKernel: Kernel {
  func probe(unixPath path: String) -> Int {
    let result = LinuxKernel.shared.probe(unixPath: path)
    unlink(path)
    let file = unsafe open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    close(file)
    return result
  }
}
