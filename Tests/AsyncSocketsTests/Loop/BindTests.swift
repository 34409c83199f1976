import Glibc
import Peers
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("Binding a listener", .timeLimit(.minutes(4)))
struct BindTests {
  @Test(
    "to an address that is in use fails, and names errno, call and address (P18)", arguments: Network.allCases
  )
  func inUse(network: Network) async throws {
    try await withListener(network) { listener in
      let error = #expect(throws: SocketError.self) {
        try Listener.bind(to: listener.address, on: listener.loop)
      }
      #expect(error == .failed(Errno(rawValue: EADDRINUSE), call: "bind", address: listener.address))
      let text = error?.description ?? ""
      for part in ["EADDRINUSE", "bind", listener.address.description] { #expect(text.contains(part)) }
      // The one that lives is not touched by that.
      let (peer, connection) = try await listener.pair()
      connection.abort()
      peer.close()
    }
  }

  @Test("to an address that this machine does not have fails")
  func notAvailable() async throws {
    try await withLoop { loop in
      let address = try SocketAddress(host: "192.0.2.1", port: 0)
      #expect(throws: SocketError.failed(Errno(rawValue: EADDRNOTAVAIL), call: "bind", address: address)) {
        try Listener.bind(to: address, on: loop)
      }
    }
  }

  @Test(
    "a listener of ours has ended when it is closed, though a copy of it is open, as in a child before exec")
  func copies() async {
    // In a process of its own: another test might get the port in between.
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let loop = try EventLoop()
        for address in [SocketAddress.loopback(), .loopback6()] {
          let listener = try Listener.bind(to: address, on: loop)
          let copy = try #require(copyOfListener(on: listener.address.port ?? 0))
          defer { close(copy) }
          listener.close()
          await #expect(throws: PeerError.self) {
            try await onThread {
              try BlockingPeer.connect(port: listener.address.port ?? 0, host: address.host).close()
            }
          }
          try Listener.bind(to: listener.address, on: loop).close()
        }
        await loop.shutdown()
      }
    }
  }

  /// In a process of its own: a child that another test starts holds a copy of the listening socket for a moment.
  @Test("to the port of a listener that had connections works at once (P18, scenario G18)")
  func again() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let loop = try EventLoop()
        var address = SocketAddress.loopback()
        for _ in 0..<20 {
          let listener = try Listener.bind(to: address, on: loop)
          address = listener.address
          let door = Door(listener: listener, loop: loop)
          let (peer, connection) = try await door.pair()
          let (idlePeer, idle) = try await door.pair()
          // This side ends first, so that the port is left in TIME_WAIT.
          async let ending = onThread { try peer.receiveToEnd() }
          try await connection.finishWriting()
          #expect(try await ending == [])
          peer.close()
          await connection.close()
          listener.close()
          let next = try Listener.bind(to: address, on: loop)
          #expect(next.address == address)
          next.close()
          idle.abort()
          idlePeer.close()
        }
        await loop.shutdown()
      }
    }
  }

  @Test("to an address that no socket can have fails before anything is opened")
  func invalid() async throws {
    try await withLoop { loop in
      let paths = ["", "/tmp/" + String(repeating: "x", count: 103), "/tmp/a\0b"]
      for path in paths {
        let error = #expect(throws: SocketError.self) { try Listener.bind(to: .unix(path: path), on: loop) }
        #expect(error?.isInvalid == true)
      }
      let none = #expect(throws: SocketError.self) { try Listener.bind(to: [], on: loop) as [Listener] }
      #expect(none?.isInvalid == true)
      for backlog in [0, -1, Int.min] {
        #expect(throws: SocketError.invalid("the backlog must be at least 1, not \(backlog)")) {
          try Listener.bind(to: .loopback(), on: loop, backlog: backlog)
        }
      }
    }
  }

  @Test("takes any backlog that is a number")
  func largeBacklog() async throws {
    try await withListener(backlog: .max) { listener in
      let (peer, connection) = try await listener.pair()
      connection.abort()
      peer.close()
    }
  }

  @Test("to a Unix path makes the socket, and the close takes it away (scenario G21)")
  func unixPath() async throws {
    try await withListener(.unix) { listener in
      let path = try #require(listener.address.path)
      #expect(exists(path))
      let (peer, connection) = try await listener.pair()
      #expect(connection.localAddress == listener.address)
      #expect(connection.peerAddress?.path == "")
      listener.close()
      #expect(!exists(path))
      connection.abort()
      peer.close()
    }
  }

  @Test("to a Unix path where a file is leaves that alone")
  func unixPathInUse() async throws {
    try await withLoop { loop in
      let address = Network.unix.freeAddress
      let path = try #require(address.path)
      let file = unsafe open(path, O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      try #require(file >= 0)
      Glibc.close(file)
      defer { unsafe unlink(path) }
      let error = #expect(throws: SocketError.self) { try Listener.bind(to: address, on: loop) }
      #expect(error == .invalid("cannot listen on \(address): the file is there already, and is no socket"))
      #expect(exists(path))
    }
  }

  @Test("to a Unix path that another listener has taken over by now leaves that to it")
  func unixPathTakenOver() async throws {
    try await withListener(.unix) { old in
      let path = try #require(old.address.path)
      unsafe unlink(path)
      let new = try Listener.bind(to: old.address, on: old.loop)
      old.close()
      #expect(exists(path))
      let peer = try await onThread { try BlockingPeer.connect(unixPath: path) }
      try await new.accept(on: old.loop).abort()
      peer.close()
      new.close()
      #expect(!exists(path))
    }
  }

  @Test("to a Unix path in a directory that is not there names it")
  func noDirectory() async throws {
    try await withLoop { loop in
      let address = SocketAddress.unix(path: "/nowhere/at/all.sock")
      #expect(throws: SocketError.failed(Errno(rawValue: ENOENT), call: "bind", address: address)) {
        try Listener.bind(to: address, on: loop)
      }
    }
  }

  @Test("that fails half-way leaves no descriptor and no path (P06)", arguments: [1, 2, 3, 4])
  func halfWay(failing: Int) async {
    await #expect(processExitsWith: .success) { [failing = failing as Int] in
      await reportingErrors {
        let kernel = FailingKernel(failing: failing)
        let loop = try EventLoop(kernel: kernel)
        let audit = ResourceAudit()
        for network in Network.allCases {
          let address = network.freeAddress
          // A Unix socket has no option to set.
          if network == .unix, failing == 2 { continue }
          let error = #expect(throws: SocketError.self) { try Listener.bind(to: address, on: loop) }
          let call = ["socket", "setsockopt(reuseAddress)", "bind", "listen"][failing - 1]
          #expect(error == .failed(Errno(rawValue: ENOBUFS), call: call, address: address))
          #expect(address.path.map(exists) != true)
        }
        #expect(audit.leaked.filter { $0.target.hasPrefix("socket:") } == [])
        #expect(loop.census.registrations == 0)
        await loop.shutdown()
      }
    }
  }
}

/// A kernel in which one of the calls of a listener's birth fails.
private final class FailingKernel: Kernel {
  private let failing: Int

  init(failing: Int) { self.failing = failing }

  func socket(family: Int32) -> Int {
    failing == 1 ? -Int(ENOBUFS) : LinuxKernel.shared.socket(family: family)
  }

  func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int {
    failing == 2
      ? -Int(ENOBUFS) : LinuxKernel.shared.setOption(descriptor, level: level, name: name, value: value)
  }

  func bind(_ descriptor: Int32, to address: SocketAddress) -> Int {
    failing == 3 ? -Int(ENOBUFS) : LinuxKernel.shared.bind(descriptor, to: address)
  }

  func listen(_ descriptor: Int32, backlog: Int32) -> Int {
    failing == 4 ? -Int(ENOBUFS) : LinuxKernel.shared.listen(descriptor, backlog: backlog)
  }
}

private func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

/// A duplicate of the descriptor that listens on a loopback port.
private func copyOfListener(on port: UInt16) -> Int32? {
  for number in Int32(3)..<32_768 {
    var isListening: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0, isListening == 1
    else { continue }
    var storage = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(number, $0, &size)
      }
    }
    // The port stands at the same place in both families.
    if status == 0, storage.sin6_port == port.bigEndian { return dup(number) }
  }
  return nil
}
