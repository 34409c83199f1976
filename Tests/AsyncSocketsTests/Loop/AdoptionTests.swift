import CLinux
import Glibc
import Peers
import TestHarness
import TestSupport
import Testing

@testable import AsyncSockets

@Suite("Adopting a descriptor", .timeLimit(.minutes(4)))
struct AdoptionTests {
  @Test("that listens gives a listener, which closes it", arguments: Network.allCases)
  func listener(network: Network) async throws {
    try await withLoop { loop in
      let descriptor = try openListener(network)
      let listener = try Listener.adopt(descriptor, on: loop)
      #expect(try openFlags(Int(descriptor)) & (O_NONBLOCK | O_CLOEXEC) == O_NONBLOCK | O_CLOEXEC)
      let (peer, connection) = try await Door(listener: listener, loop: loop).pair()
      if network != .unix { #expect(try connection.value(of: .noDelay)) }
      connection.abort()
      peer.close()
      listener.close()
      if let path = listener.address.path {
        // It was there before, and whoever made it may listen there again.
        #expect(unsafe access(path, F_OK) == 0)
        unsafe unlink(path)
      }
    }
  }

  @Test("that is connected gives a connection, which closes it", arguments: [true, false])
  func connection(isTCP: Bool) async throws {
    try await withLoop { loop in
      let (near, far) = try isTCP ? await onThread { try tcpPair() } : socketPair()
      let peer = BlockingPeer(adopting: far)
      var options = ConnectionOptions()
      options.socketOptions = [.sendBuffer(8192)]
      let connection = try Connection.adopt(near, on: loop, options: options)
      #expect(try connection.value(of: .sendBuffer) == 16384)
      if isTCP {
        #expect(try connection.value(of: .noDelay))
        #expect(connection.peerAddress?.host == "127.0.0.1")
      } else {
        #expect(connection.peerAddress == .unix(path: ""))
        #expect(try connection.peerCredentials()?.processID == getpid())
      }
      try await connection.send("hello\n")
      #expect(try await onThread { try peer.receiveLine() } == "hello")
      try peer.send("back")
      #expect(try await connection.receive(exactly: 4) == Array("back".utf8))
      connection.abort()
      peer.close()
    }
  }

  @Test("that is something else is refused with what it is, and stays the caller's")
  func refused() async throws {
    try await withLoop { loop in
      func problem(_ descriptor: Int32, _ part: String, asListener: Bool? = nil) {
        for wantsListener in asListener.map({ [$0] }) ?? [true, false] {
          let error = #expect(throws: SocketError.self) {
            if wantsListener {
              _ = try Listener.adopt(descriptor, on: loop)
            } else {
              _ = try Connection.adopt(descriptor, on: loop)
            }
          }
          #expect(error?.isInvalid == true)
          #expect(error?.description.contains("descriptor \(descriptor) \(part)") == true)
          let wanted = wantsListener ? "a listening stream socket" : "a connected stream socket"
          #expect(error?.description.contains(wanted) == true)
          if descriptor >= 0, descriptor < 1_000_000 { #expect(fcntl(descriptor, F_GETFD) >= 0) }
        }
        if descriptor >= 0, descriptor < 1_000_000 { close(descriptor) }
      }
      problem(-1, "is not open")
      problem(1_000_000, "is not open")
      problem(unsafe open("/dev/null", O_RDONLY | O_CLOEXEC), "is no socket")
      problem(socket(AF_INET, CLINUX_SOCK_DGRAM, 0), "is a datagram socket")
      problem(socket(AF_UNIX, CLINUX_SOCK_SEQPACKET, 0), "is a socket of sequenced packets")
      problem(
        socket(AF_INET, CLINUX_SOCK_STREAM, 0), "is a stream socket that neither listens nor is connected")
      problem(try openListener(.ipv4), "is a listening stream socket", asListener: false)
      let (near, far) = try socketPair()
      problem(near, "is a connected stream socket", asListener: true)
      close(far)
    }
  }

  @Test("with an option that the system refuses leaves it the caller's (P06)")
  func refusedOption() async throws {
    try await withLoop { loop in
      let (near, far) = try socketPair()
      var options = ConnectionOptions()
      options.socketOptions = [.userTimeout(.seconds(1))]
      let error = #expect(throws: SocketError.self) { try Connection.adopt(near, on: loop, options: options) }
      #expect(error?.description.contains("setsockopt(userTimeout)") == true)
      #expect(fcntl(near, F_GETFD) >= 0)
      close(near)
      close(far)
    }
  }
}

@Suite("Sockets from the service manager", .timeLimit(.minutes(4)))
struct SocketActivationTests {
  private func descriptors(
    _ processID: String?, _ count: String?, _ names: String? = nil
  ) throws -> [String] {
    try SocketActivation.descriptors(
      SocketActivation.Variables(processID: processID, count: count, names: names), ofProcess: 42, first: 3
    ).map { "\($0.name)=\($0.descriptor)" }
  }

  @Test("are those that LISTEN_FDS counts, by their names")
  func names() throws {
    #expect(try descriptors("42", "2", "web:admin") == ["web=3", "admin=4"])
    #expect(try descriptors("42", "2") == ["unknown=3", "unknown=4"])
    #expect(try descriptors("42", "2", ":x") == ["=3", "x=4"])
    #expect(try descriptors("42", "0", "") == [])
  }

  @Test("are none for a process that was not given any, or is a child of the one that was")
  func none() throws {
    #expect(try descriptors(nil, nil) == [])
    #expect(try descriptors("42", nil) == [])
    #expect(try descriptors(nil, "1") == [])
    #expect(try descriptors("41", "1") == [])
  }

  @Test(
    "are refused when the variables make no sense",
    arguments: [
      ("x", "1", nil, "LISTEN_PID is \"x\""), ("0", "1", nil, "LISTEN_PID"),
      ("42", "", nil, "LISTEN_FDS is \"\""),
      ("42", "-1", nil, "LISTEN_FDS"), ("42", "2147483647", nil, "LISTEN_FDS"),
      ("42", "2", "one", "LISTEN_FDNAMES has 1 names for the 2"), ("42", "1", "a:b", "LISTEN_FDNAMES"),
    ] as [(String, String, String?, String)])
  func malformed(processID: String, count: String, names: String?, problem: String) {
    let error = #expect(throws: SocketError.self) { try descriptors(processID, count, names) }
    #expect(error?.isInvalid == true)
    #expect(error?.description.contains(problem) == true)
  }

  @Test("become listeners, all of them or none")
  func listeners() async throws {
    try await withLoop { loop in
      let first = try openListener(.ipv4)
      let second = try openListener(.ipv6)
      let (stranger, far) = try socketPair()
      let error = #expect(throws: SocketError.self) {
        try SocketActivation.adopt([("a", first), ("odd", stranger)], on: loop)
      }
      #expect(error?.description.contains("LISTEN_FDS, \"odd\"") == true)
      #expect(error?.description.contains("is a connected stream socket") == true)
      let sockets = try SocketActivation.adopt([("a", first), ("b", second)], on: loop)
      #expect(sockets.map(\.name) == ["a", "b"])
      #expect(sockets.map(\.listener.address.host) == ["127.0.0.1", "::1"])
      for socket in sockets {
        let (peer, connection) = try await Door(listener: socket.listener, loop: loop).pair()
        connection.abort()
        peer.close()
        socket.listener.close()
      }
      close(stranger)
      close(far)
    }
  }

  /// In a process of its own, whose environment it changes.
  @Test("are taken from the environment, once")
  func environment() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let loop = try EventLoop()
        #expect(try SocketActivation.listeners(on: loop).isEmpty)
        let free = try openListener(.ipv4)
        // Number 3 belongs to somebody in a process that has run for a while: the runtime, or what the test reports by.
        #expect(SocketActivation.firstDescriptor == 3)
        unsafe setenv("LISTEN_PID", "\(getpid())", 1)
        unsafe setenv("LISTEN_FDS", "1", 1)
        unsafe setenv("LISTEN_FDNAMES", "web", 1)
        let stopped = try EventLoop()
        await stopped.shutdown()
        let refused = Result { try SocketActivation.listeners(on: stopped, first: free) }
        let sockets = Result { try SocketActivation.listeners(on: loop, first: free) }
        let again = Result { try SocketActivation.listeners(on: loop, first: free) }
        let listener = try sockets.get().first?.listener
        let address = listener?.address
        listener?.close()
        #expect(try sockets.get().map(\.name) == ["web"])
        #expect(address?.host == "127.0.0.1")
        #expect(throws: SocketError.loopStopped) { try refused.get() }
        #expect(throws: SocketError.self) { try again.get() }
        await loop.shutdown()
      }
    }
  }
}

/// A listening socket of plain POSIX calls: blocking, and not close-on-exec.
private func openListener(_ network: Network) throws -> Int32 {
  let address = network.freeAddress
  let descriptor = socket(address.family, CLINUX_SOCK_STREAM, 0)
  let kernel = LinuxKernel.shared
  guard kernel.bind(descriptor, to: address) == 0, kernel.listen(descriptor, backlog: 16) == 0 else {
    throw PeerError.invalid("no listener at \(address)")
  }
  return descriptor
}
