import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Switching codecs on a live connection", .timeLimit(.minutes(4)))
struct SwitchingTests {
  @Test("both directions go on in the new codec, with nothing lost", arguments: Route.allCases)
  func both(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("switch\nab;cd;")
      #expect(try await lines.next() == "switch")
      try await lines.send("ok")
      let fields = try lines.switching(to: try LineFraming(";"))
      #expect(try await fields.next() == "ab")
      #expect(try await fields.next() == "cd")
      try await fields.send("ef")
      try await fields.finishWriting()
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("ok\nef;"))
    }
  }

  @Test("scenario E6: the input's codec changes alone", arguments: Route.allCases)
  func inputAlone(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\ntwo;three;")
      #expect(try await lines.next() == "one")
      let mixed = try lines.switching(inbound: try LineFraming(";").bytes)
      #expect(try await mixed.next() == bytes("two"))
      try await mixed.send("still lines")
      let back = try mixed.switching(inbound: LineFraming())
      try link.peer.send("four\n")
      #expect(try await back.next() == "three;four")
      try await back.send("and still")
      try await back.finishWriting()
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("still lines\nand still\n"))
    }
  }

  @Test("scenario E6: the output's codec changes alone", arguments: Route.allCases)
  func outputAlone(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\ntw")
      #expect(try await lines.next() == "one")
      try await lines.send("a line")
      let mixed = try lines.switching(outbound: RawFraming())
      try await mixed.send(bytes("raw"))
      try link.peer.send("o\n")
      #expect(try await mixed.next() == "two")
      try await mixed.finishWriting()
      #expect(try await onThread { try link.peer.receiveToEnd() } == bytes("a line\nraw"))
    }
  }

  @Test("scenario E6: words in, lines out, from the start", arguments: Route.executors)
  func differentFromTheStart(_ route: Route) async throws {
    try await withLink(route) { link in
      let framing = try LineFraming(" ").sending(LineFraming("\r\n"))
      let connection = link.connection.framed(framing)
      try link.peer.send("This is just a test ")
      var words: [String] = []
      for try await word in connection.inbound {
        words.append(word)
        if word == "test" { break }
      }
      #expect(words == ["This", "is", "just", "a", "test"])
      for word in words { try await connection.send(word) }
      try await connection.finishWriting()
      #expect(
        try await onThread { try link.peer.receiveToEnd() } == bytes("This\r\nis\r\njust\r\na\r\ntest\r\n"))
    }
  }

  @Test("scenario E7: the beginning of a frame goes to the new codec verbatim", arguments: Route.allCases)
  func partialFrame(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\nunfinished\r")
      #expect(try await lines.next() == "one")
      async let waiting = failure { try await lines.next(deadline: .after(.seconds(1))) }
      try await untilReading(link.connection)
      link.clock.advance(by: .seconds(1))
      #expect(await waiting is SocketError)
      let raw = try lines.switching(to: RawFraming())
      #expect(try await raw.next() == bytes("unfinished\r"))
    }
  }

  @Test(
    "scenario E7: what a codec has searched in vain is searched again by the next", arguments: Route.allCases)
  func searchedBytes(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("a;b;c")
      async let waiting = failure { try await lines.next(deadline: .after(.seconds(1))) }
      try await eventually("it is searched") {
        hasReader(link.connection) && link.connection.counters.bytesRead == 5
      }
      link.clock.advance(by: .seconds(1))
      _ = await waiting
      let fields = try lines.switching(to: try LineFraming(";"))
      #expect(try await fields.next() == "a")
      #expect(try await fields.next() == "b")
      try link.peer.halfClose()
      #expect(try await fields.next() == "c")
      #expect(try await fields.next() == nil)
    }
  }

  @Test("the old handle is spent", arguments: Route.allCases)
  func oldHandle(_ route: Route) async throws {
    try await withLink(route) { link in
      let old = link.connection.framed(LineFraming())
      let new = try old.switching(to: LineFraming().bytes)
      try link.peer.send("for the new\n")
      #expect(await socketError { try await old.next() } == .switched)
      #expect(await socketError { try await old.send("x") } == .switched)
      #expect(await socketError { try await old.request("x") } == .switched)
      #expect(await socketError { try await old.flush() } == .switched)
      #expect(await socketError { try await old.finishWriting() } == .switched)
      #expect(await socketError { try old.switching(to: RawFraming()) } == .switched)
      #expect(await socketError { try old.switching(inbound: RawFraming()) } == .switched)
      #expect(await socketError { try old.switching(outbound: RawFraming()) } == .switched)
      #expect(try await new.next() == bytes("for the new"))
      try await new.send(bytes("reply"))
      #expect(try await onThread { try link.peer.receiveLine() } == "reply")
    }
  }

  @Test("bytes that a codec left go to the connection's own reads", arguments: Route.allCases)
  func toRawReads(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("header\nbody in bytes")
      #expect(try await lines.next() == "header")
      #expect(try await link.connection.read(atMost: 4) == bytes("body"))
      #expect(try await link.connection.readBytes(capacity: 4) == bytes(" in "))
      #expect(try await link.connection.receive(exactly: 5) == bytes("bytes"))
      try link.peer.send("more")
      try link.peer.halfClose()
      #expect(try await link.connection.receiveToEnd() == bytes("more"))
    }
  }

  @Test("bytes that came before the end are there after a switch", arguments: Route.allCases)
  func afterTheEnd(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming())
      try link.peer.send("one\nrest")
      try link.peer.halfClose()
      #expect(try await lines.next() == "one")
      let raw = try lines.switching(to: RawFraming())
      #expect(try await raw.next() == bytes("rest"))
      #expect(try await raw.next() == nil)
    }
  }
}
