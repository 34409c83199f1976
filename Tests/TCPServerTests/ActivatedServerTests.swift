import Glibc
import Peers
import TCPServer
import TestHarness
import Testing

@Suite("A server on sockets of the service manager", .timeLimit(.minutes(4)))
struct ActivatedServerTests {
  @Test("serves who had connected before it was there, drains, and leaves the sockets to its successor")
  func successors() async throws {
    let path = "/tmp/activated-\(UInt64.random(in: 0 ... .max)).sock"
    defer { unsafe unlink(path) }
    let (tcp, unix) = (try BlockingListener(), try BlockingListener(unixPath: path))
    defer {
      tcp.close()
      unix.close()
    }
    for round in 1...3 {
      // Nobody accepts yet.
      let early = try await onThread {
        [try BlockingPeer.connect(port: tcp.port), try BlockingPeer.connect(unixPath: path)]
      }
      for peer in early { try peer.send("early \(round)\n") }
      try await withChildProcess(
        builtExecutable("SocketExercise"), ["activated"], listeners: [("web", tcp), ("control", unix)]
      ) { child in
        let first = try await child.readLine()
        #expect(first == "serving web control", "\(child.errorOutput)")
        try await onThread {
          for peer in early { try peer.expectLine("early \(round)") }
          let late = try BlockingPeer.connect(port: tcp.port)
          try late.send("late\n")
          try late.expectLine("late")
          late.close()
        }
        // One of them has begun a line, which may become whole.
        try early[0].send("half ")
        child.signal(SIGTERM)
        try early[0].send("a line\n")
        try await onThread {
          for peer in early {
            let (bytes, ending) = try peer.receiveToEnding()
            let text = String(decoding: bytes, as: UTF8.self)
            guard ["", "half a line\n"].contains(text), ending == .end else {
              throw Unexpected(description: "received \(text) and a \(ending)")
            }
            peer.close()
          }
        }
        // The late one may have been there still.
        let report = try await child.readLine()
        #expect(["2 finished", "3 finished"].contains(report), "\(child.errorOutput)")
        let status = try await child.waitForExit()
        #expect(status == .exited(0), "\(child.errorOutput)")
      }
      #expect(unsafe access(path, F_OK) == 0)
    }
    // The sockets listen on, as the service manager holds them, and nobody is refused.
    let waiting = try await onThread {
      [try BlockingPeer.connect(port: tcp.port), try BlockingPeer.connect(unixPath: path)]
    }
    for peer in waiting { peer.close() }
  }

  @Test("that is killed leaves them to its successor, with those who wait in the queue")
  func killed() async throws {
    let tcp = try BlockingListener()
    defer { tcp.close() }
    let program = try builtExecutable("SocketExercise")
    try await withChildProcess(program, ["activated"], listeners: [("unknown", tcp)]) { child in
      let first = try await child.readLine()
      #expect(first == "serving unknown", "\(child.errorOutput)")
      child.signal(SIGSTOP)
      child.signal(SIGKILL)
      let status = try await child.waitForExit()
      #expect(status == .signalled(SIGKILL))
    }
    let waiting = try await onThread { try (0..<10).map { _ in try BlockingPeer.connect(port: tcp.port) } }
    for peer in waiting { try peer.send("still here\n") }
    try await withChildProcess(program, ["activated"], listeners: [("unknown", tcp)]) { child in
      try await onThread {
        for peer in waiting {
          try peer.expectLine("still here")
          peer.close()
        }
      }
      child.signal(SIGTERM)
      let status = try await child.waitForExit()
      #expect(status == .exited(0), "\(child.errorOutput)")
    }
  }
}
