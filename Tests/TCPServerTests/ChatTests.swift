import Glibc
import Peers
import TestHarness
import Testing

@Suite("The example chat", .timeLimit(.minutes(4)))
struct ChatTests {
  @Test("what one says goes to the others, under a name that only one can have")
  func conversation() async throws {
    try await withChat { chat in
      let (anna, first) = try await chat.join()
      let (bert, second) = try await chat.join()
      try await onThread {
        try anna.expectLine("* \(second) is here")
        try anna.send("/nick anna\n")
        for peer in [anna, bert] { try peer.expectLine("* \(first) is now anna") }
        for wish in ["/nick anna", "/nick", "/nick a b", "/nick " + String(repeating: "x", count: 21)] {
          try bert.send(wish + "\r\n")
          try bert.expectLine("* that name is taken, or none: 1 to 20 letters and digits")
        }
        try bert.send("/nick bert\n/list\n\nhello, everybody\n")
        try bert.expectLine("* \(second) is now bert")
        try bert.expectLine("* here: anna, bert")
        try anna.expectLine("* \(second) is now bert")
        try anna.expectLine("bert: hello, everybody")
        try bert.send("/quit\nnot heard\n")
        try bert.expectEnd(after: "* goodbye\n")
        try anna.expectLine("* bert has gone")
        try anna.halfClose()
        try anna.expectEnd(after: "* goodbye\n")
      }
      anna.close()
      bert.close()
      chat.process.signal(SIGTERM)
      #expect(try await chat.process.waitForExit() == .exited(0))
    }
  }

  @Test("SIGTERM says goodbye to everybody, and the report says that all have finished")
  func drain() async throws {
    try await withChat { chat in
      let (one, _) = try await chat.join()
      let (other, name) = try await chat.join()
      try await onThread { try one.expectLine("* \(name) is here") }
      chat.process.signal(SIGTERM)
      for peer in [one, other] {
        try await onThread { try peer.expectEnd(after: "* the server is going down, goodbye\n") }
        peer.close()
      }
      #expect(try await chat.process.waitForExit() == .exited(0))
      let output = String(decoding: try await chat.process.readToEnd(), as: UTF8.self)
      #expect(output.hasPrefix("drained in "))
      #expect(output.hasSuffix(": 2 finished\n"))
      #expect(chat.process.errorOutput == "")
    }
  }

  @Test("who is silent has to go, and is told why")
  func idle() async throws {
    try await withChat(patience: "0.05") { chat in
      let peer = try await onThread { [port = chat.port] in try BlockingPeer.connect(port: port) }
      let (bytes, ending) = try await onThread { try peer.receiveToEnding() }
      #expect(String(decoding: bytes, as: UTF8.self).hasSuffix("* you have been silent for too long\n"))
      #expect(ending == .end)
      peer.close()
    }
  }

  @Test(
    "netcat can join it",
    .enabled("netcat is not installed") { await works("sh", ["-c", "command -v nc"]) })
  func netcat() async throws {
    try await withChat { chat in
      let (peer, name) = try await chat.join()
      try await withChildProcess("nc", ["-N", "127.0.0.1", "\(chat.port)"]) { netcat in
        #expect(try await netcat.readLine() == "* you are guest2; /nick NAME, /list, /quit")
        try await onThread { try peer.expectLine("* guest2 is here") }
        try await netcat.send("hello from netcat\n/list\n")
        try await onThread { try peer.expectLine("guest2: hello from netcat") }
        #expect(try await netcat.readLine() == "* here: \(name), guest2")
        try peer.send("hello, netcat\n")
        #expect(try await netcat.readLine() == "\(name): hello, netcat")
        netcat.closeInput()
        #expect(try await netcat.readLine() == "* goodbye")
        #expect(try await netcat.waitForExit() == .exited(0))
      }
      try await onThread { try peer.expectLine("* guest2 has gone") }
      peer.close()
    }
  }

  @Test(
    "arguments that make no sense are refused",
    arguments: [["x"], ["70000"], ["0", "0"], ["0", "nan"], ["0", "1", "2"]])
  func usage(_ arguments: [String]) async throws {
    try await withChildProcess(builtExecutable("chat"), arguments) { process in
      let status = try await process.waitForExit()
      #expect(status == .exited(2))
      #expect(process.errorOutput == "usage: chat [PORT [SECONDS]]\n")
    }
  }
}
