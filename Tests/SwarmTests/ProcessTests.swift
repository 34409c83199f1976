import Glibc
import MultiClient
import Peers
import TestHarness
import Testing

@testable import swarm

/// The built program, as people run it.
@Suite("The program", .timeLimit(.minutes(4)))
struct ProcessTests {
  @Test("without a server it talks to one of its own, every reply is right, and nothing but text comes out")
  func ownServer() async throws {
    let ran = try await swarm("--connections", "50", "--messages", "4")
    #expect(ran.status == .exited(0), "\(ran.errors)")
    #expect(ran.output.hasPrefix("50 connections to an echo server of its own, 4 lines of 64 bytes each\n\n"))
    #expect(ran.output.contains("50 of 50 opened in "))
    #expect(ran.output.contains("200 sent, 200 replies right\n"))
    #expect(ran.output.hasSuffix("\nno errors: every reply was right\n"))
    #expect(ran.output.contains("█"))
    for text in [ran.output, ran.errors] {
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    }
    #expect(ran.errors == "50 connections to an echo server of its own, 4 lines of 64 bytes each\n")
  }

  @Test("several loops, bytes, a ramp, a rate and a duration work together")
  func everything() async throws {
    let ran = try await swarm(
      "--connections", "20", "--loops", "2", "--hex", "--send", "00 0d 0a ff", "--ramp", "2000", "--rate",
      "400",
      "--duration", "200ms", "--json")
    #expect(ran.status == .exited(0), "\(ran.errors)")
    let summary = try Summary(json: JSON(parsing: ran.output))
    #expect(summary.connections.opened == 20)
    #expect(summary.messages.right == summary.messages.sent)
    #expect(summary.bytesReceived == 4 * summary.messages.right)
    #expect(summary.replies.count == summary.messages.right)
    #expect(summary.connecting.count == 20)
  }

  @Test("JSON summaries of several runs are merged into one")
  func merge() async throws {
    let one = try await swarm("--connections", "10", "--messages", "3", "--json")
    let other = try await swarm("--connections", "5", "--messages", "2", "--json")
    let files = try [one.output, other.output].map(TextFile.init)
    let merged = try await swarm("--merge", files[0].path, files[1].path, "--json")
    #expect(merged.status == .exited(0), "\(merged.errors)")
    let summary = try Summary(json: JSON(parsing: merged.output))
    let parts = try [one, other].map { try Summary(json: JSON(parsing: $0.output)) }
    #expect(summary == parts[0].merged(with: parts[1]))
    #expect(summary.messages.right == 40)
    let text = try await swarm("--merge", files[0].path, files[1].path)
    #expect(text.output.contains("15 of 15 opened"))

    let bad = try TextFile("{}")
    let refused = try await swarm("--merge", files[0].path, bad.path)
    #expect(refused.status == .exited(2))
    #expect(refused.errors.contains(bad.path))
  }

  @Test("a wrong reply is status 1, with what was expected and what came")
  func wrongReply() async throws {
    try await withScriptedServer { peer in
      for reply in ["one", "two"] {
        _ = try peer.receiveLine()
        try peer.send("\(reply)\r\n")
      }
      _ = try peer.receiveToEnd()
      peer.close()
    } _: { server in
      let ran = try await swarm(
        "--connect", server, "--connections", "1", "--messages", "2", "--send", "say", "--expect", "on")
      #expect(ran.status == .exited(1))
      #expect(ran.output.contains("2 sent, 1 replies right, 1 wrong\n"))
      #expect(
        ran.output.hasSuffix(
          "\n1 error\n  1  wrong reply\n     such as connection 1, message 2: expected \"on\", got \"two\"\n")
      )
    }
  }

  @Test("a server that resets is status 1, and the errors are counted by class")
  func reset() async throws {
    try await withScriptedServer(connections: 3) { peer in
      _ = try peer.receiveLine()
      try peer.reset()
    } _: { server in
      let ran = try await swarm("--connect", server, "--connections", "3")
      #expect(ran.status == .exited(1))
      #expect(ran.output.contains("\n3 errors\n  3  reset\n     such as connection "))
    }
  }

  @Test("a port where nobody listens is status 1, told once with how often")
  func refused() async throws {
    let port = try ReservedPort()
    let ran = try await swarm("--connect", "127.0.0.1:\(port.number)", "--connections", "30")
    #expect(ran.status == .exited(1))
    #expect(ran.output.contains("0 of 30 opened\n"))
    #expect(ran.output.contains("\n30 errors\n  30  refused\n"))
    #expect(ran.output.contains("connect 127.0.0.1:\(port.number): ECONNREFUSED (Connection refused)\n"))
  }

  @Test("a Unix socket is a server as well")
  func unixSocket() async throws {
    let path = "/tmp/swarm-\(UInt64.random(in: 0 ... .max)).sock"
    let listener = try BlockingListener(unixPath: path)
    defer { unsafe unlink(path) }
    async let serving: Void = onThread {
      let peer = try listener.accept()
      try peer.send(try peer.receiveLine(keepingTerminator: true))
      _ = try peer.receiveToEnd()
      peer.close()
    }
    let ran = try await swarm("--connect", "unix:\(path)", "--connections", "1", "--messages", "1")
    #expect(ran.status == .exited(0), "\(ran.output)")
    try await serving
  }

  @Test(
    "Ctrl-C sums up what has been done so far",
    arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func interrupted(signal: Int32, status: Int32) async throws {
    let isTalking = Flag()
    try await withScriptedServer { peer in
      for _ in 0..<3 { try peer.send(try peer.receiveLine(keepingTerminator: true)) }
      isTalking.raise()
      _ = try peer.receiveToEnd()
      peer.close()
    } _: { server in
      let arguments = [
        "--connect", server, "--connections", "1", "--duration", "1h", "--timeout", "1h", "--json",
      ]
      try await withChildProcess(try builtExecutable("swarm"), arguments) { process in
        try await eventually("it is in the midst of it") { isTalking.isRaised }
        process.signal(signal)
        let summary = try Summary(
          json: JSON(parsing: String(decoding: try await process.readToEnd(), as: UTF8.self)))
        #expect(try await process.waitForExit() == .exited(status))
        #expect(summary.signal == signal)
        #expect(summary.errors.total == 0)
        #expect(process.errorOutput.contains("once more to end at once"))
      }
    }
  }

  @Test("a second Ctrl-C ends it at once, without a summary")
  func interruptedTwice() async throws {
    let isTalking = Flag()
    try await withScriptedServer { peer in
      _ = try peer.receiveLine()
      isTalking.raise()
      _ = try? peer.receiveToEnd()
      peer.close()
    } _: { server in
      let arguments = ["--connect", server, "--connections", "1", "--timeout", "1h"]
      try await withChildProcess(try builtExecutable("swarm"), arguments) { process in
        try await eventually("it is in the midst of it") { isTalking.isRaised }
        process.signal(SIGINT)
        process.signal(SIGTERM)
        let status = try await process.waitForExit()
        #expect([.exited(130), .exited(143)].contains(status))
      }
    }
  }

  @Test("what cannot work is told before anything is opened, with status 2")
  func impossible() async throws {
    let unknown = try await swarm("--frobnicate")
    #expect(unknown.status == .exited(2))
    #expect(unknown.output.isEmpty)
    #expect(unknown.errors == "swarm: there is no option --frobnicate; see swarm --help\n")

    let many = try await swarm("--connections", "600", descriptorLimit: 256)
    #expect(many.status == .exited(2))
    #expect(many.errors.contains("--connections 48"))
    #expect(many.errors.contains("ulimit -Hn 1360"))
  }

  @Test(
    "in a terminal one line is written over, in whole frames, and taken away at the end",
    .enabled("script is not installed") { await isInstalled("script") })
  func terminal() async throws {
    let command = "\(try builtExecutable("swarm")) --connections 3 --duration 300ms"
    try await withChildProcess("script", ["-qec", command, "/dev/null"], environment: ["TERM": "xterm"]) {
      script in
      let output = String(decoding: try await script.readToEnd(), as: UTF8.self)
      #expect(try await script.waitForExit() == .exited(0))
      let erase = "\u{1b}[K"
      let frames = output.split(separator: erase)
      let heading = "3 connections to an echo server of its own, lines of 64 bytes, for 300 ms"
      #expect(output.hasPrefix("\(heading)\r\n\r"))
      #expect(frames.count >= 3)
      // Between the heading before the first and the summary after the last.
      for frame in frames.dropFirst().dropLast(2) {
        #expect(frame.hasPrefix("\r"))
        #expect(frame.contains(" %"))
        #expect(!frame.contains("\n"))
      }
      #expect(output.contains("\(erase)\r\(erase)\r\n  connections  3 of 3 opened"))
      #expect(output.components(of: heading) == 1)
    }
  }

  @Test("a summary that cannot be written is told, with status 1")
  func full() async throws {
    let command = "'\(try builtExecutable("swarm"))' --connections 1 --messages 1 --json > /dev/full"
    try await withChildProcess("sh", ["-c", command]) { process in
      process.closeInput()
      _ = try await process.readToEnd()
      #expect(try await process.waitForExit() == .exited(1))
      #expect(process.errorOutput.contains("swarm: the summary cannot be written: No space left on device\n"))
    }
  }

  @Test("--help goes to standard output")
  func help() async throws {
    let ran = try await swarm("--help")
    #expect(ran.status == .exited(0))
    #expect(ran.output == Usage.text)
    #expect(ran.errors.isEmpty)
  }
}

extension String {
  /// How often a text is in it.
  fileprivate func components(of text: String) -> Int { ranges(of: text).count }
}
