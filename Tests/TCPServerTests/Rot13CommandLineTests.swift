import Peers
import TestHarness
import Testing

@Suite("rot13's command line", .timeLimit(.minutes(4)))
struct Rot13CommandLineTests {
  @Test(
    "wrong arguments are told on standard error, and end it with status 2",
    arguments: [
      (["--port"], "--port needs a value"),
      (["--port", "http"], "not \"http\""),
      (["--port", "65536"], "0 to 65535"),
      (["--port", "-1"], "0 to 65535"),
      (["--host", "localhost"], "localhost"),
      (["--host", "300.1.1.1"], "300.1.1.1"),
      (["--unix", "/tmp/x", "--port", "1"], "--unix"),
      (["--unix"], "--unix needs a value"),
      (["--verbose"], "\"--verbose\""),
      (["12345"], "\"12345\""),
    ])
  func wrongArguments(arguments: [String], message: String) async throws {
    try await withChildProcess(builtExecutable("rot13"), arguments) { process in
      #expect(try await process.waitForExit() == .exited(2))
      let errors = process.errorOutput
      #expect(errors.hasPrefix("rot13: "))
      #expect(errors.contains(message))
      #expect(errors.contains("usage: rot13"))
      let output = try await process.readToEnd()
      #expect(output == [])
    }
  }

  @Test("--help is no mistake", arguments: ["--help", "-h"])
  func help(option: String) async throws {
    try await withChildProcess(builtExecutable("rot13"), [option]) { process in
      let output = String(decoding: try await process.readToEnd(), as: UTF8.self)
      #expect(try await process.waitForExit() == .exited(0))
      #expect(output.hasPrefix("usage: rot13"))
      for option in ["--host", "--port", "--unix", "--help"] { #expect(output.contains(option)) }
      #expect(process.errorOutput == "")
    }
  }

  @Test("without arguments it listens on a free port of 127.0.0.1, says so at once, and greets nobody")
  func defaults() async throws {
    try await withChildProcess(builtExecutable("rot13")) { process in
      let line = try await process.readLine()
      let port = try #require(UInt16(line.dropFirst("listening on 127.0.0.1:".count)))
      #expect(line == "listening on 127.0.0.1:\(port)")
      let peer = try await onThread { try BlockingPeer.connect(port: port) }
      // Had there been a banner, it would come first.
      #expect(try await peer.ask("Uryyb, Jbeyq!") == "Hello, World!")
      peer.close()
    }
  }

  @Test("an IPv6 address is shown in brackets", .enabled(if: (try? BlockingListener(host: "::1")) != nil))
  func ipv6() async throws {
    try await withChildProcess(builtExecutable("rot13"), ["--host", "::1"]) { process in
      let line = try await process.readLine()
      let port = try #require(UInt16(line.dropFirst("listening on [::1]:".count)))
      #expect(line == "listening on [::1]:\(port)")
      let peer = try await onThread { try BlockingPeer.connect(port: port, host: "::1") }
      #expect(try await peer.ask("uryyb") == "hello")
      peer.close()
    }
  }

  @Test("a Unix socket is shown by its path, which is gone when the server has ended")
  func unixSocket() async throws {
    let name = "rot13-\(UInt64.random(in: 0 ... .max)).sock"
    let path = "/tmp/\(name)"
    try await withChildProcess(builtExecutable("rot13"), ["--unix", path]) { process in
      let line = try await process.readLine()
      #expect(line == "listening on unix:\(path)")
      let peer = try await onThread { try BlockingPeer.connect(unixPath: path) }
      #expect(try await peer.ask("uryyb") == "hello")
      peer.close()
      process.signal(15)
      #expect(try await process.waitForExit() == .exited(0))
    }
    #expect(try !names(in: "/tmp").contains(name))
  }

  @Test("an address that is taken is told with the errno, and ends it with status 1 (P18)")
  func takenAddress() async throws {
    try await withRot13 { server in
      try await withChildProcess(builtExecutable("rot13"), ["--port", "\(server.port)"]) { process in
        let status = try await process.waitForExit()
        #expect(status == .exited(1))
        let expected = "rot13: bind 127.0.0.1:\(server.port): EADDRINUSE (Address already in use)\n"
        #expect(process.errorOutput == expected)
      }
      let peer = try await server.connect()
      #expect(try await peer.ask("hauneZrq") == "unharMed")
      peer.close()
    }
  }

  @Test("a path too long for a Unix socket is told in words, and ends it with status 1")
  func longPath() async throws {
    let path = "/tmp/" + String(repeating: "x", count: 200)
    try await withChildProcess(builtExecutable("rot13"), ["--unix", path]) { process in
      let status = try await process.waitForExit()
      #expect(status != .exited(0))
      #expect(process.errorOutput.contains("107"))
    }
  }
}
