import Framing
import Peers
import Testing

@testable import TestHarness

@Suite("Transcripts", .standingClock, .timeLimit(.minutes(2)))
struct TranscriptTests {
  private static let golden = """
    # What a POP3 server sees.
    sent "+OK ready\\r\\n"
    received "QUIT\\r\\n"
    received "\\xFF\\x00\\t\\"\\\\"
    sent "+OK bye\\r\\n"

    ended
    finished
    """

  @Test("a conversation is read from its text, and written as it")
  func readAndWritten() throws {
    let conversation = try Conversation(Self.golden)
    #expect(
      conversation.steps == [
        .sent(Array("+OK ready\r\n".utf8)), .received(Array("QUIT\r\n".utf8) + [0xff, 0, 9, 34, 92]),
        .sent(Array("+OK bye\r\n".utf8)), .ended, .finished,
      ])
    #expect(try Conversation(conversation.description) == conversation)
    #expect(conversation.fromTheOtherEnd.fromTheOtherEnd == conversation)
    #expect(try Conversation("").steps.isEmpty)
  }

  @Test("any bytes survive being written and read")
  func everyByte() throws {
    let bytes = (0...255).map { UInt8($0) } + Array("\n\n\r\n\"\\x41".utf8)
    let conversation = Conversation([.sent(bytes), .received(bytes), .reset])
    #expect(try Conversation(conversation.description) == conversation)
  }

  @Test(
    "what is no conversation is an error with its line",
    arguments: [
      "said \"a\"", "sent a", "sent \"a", "sent \"\\y\"", "sent \"\\x4\"", "sent \"a\"b\"", "sent", "Ended",
    ])
  func badText(line: String) throws {
    let error = #expect(throws: ExpectationFailure.self) { try Conversation("ended\n" + line) }
    #expect(problem(error).hasPrefix("line 2 of a conversation is \(line), and should be"))
  }

  @Test("what was recorded of a real server is replayed to its client by a test server")
  func replay() async throws {
    func talk(to address: SocketAddress) async throws -> Conversation {
      try await withTestClient(to: address, framing: .lines) { peer in
        try await peer.send("hello")
        try await peer.expect("hello")
        try await peer.send(contentsOf: ["one", "two"])
        try await peer.expect("one")
        try await peer.expect("two")
        try await peer.finishWriting()
        try await peer.expectEnd()
        return try peer.transcript.conversation
      }
    }
    let recorded = try await withTestServer(.echo) { try await talk(to: $0.addresses[0]) }
    let replayed = try await withTestServer(.replay(recorded.fromTheOtherEnd)) {
      try await talk(to: $0.addresses[0])
    }
    try replayed.expect(recorded)
    let error = await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(.replay(recorded.fromTheOtherEnd)) { server in
        let client = try await server.connect()
        try client.send("hullo\n")
        _ = try await client.rest()
      }
    }
    #expect(problem(error) == #"expected the bytes "hello\n", but "hullo\n" came"#)
  }

  @Test("a conversation that differs is shown from the first line that does")
  func difference() throws {
    let golden = try Conversation("sent \"one\\ntwo\\n\"\nreceived \"three\\n\"\nended")
    let came = try Conversation("sent \"one\\ntwo\\n\"\nreceived \"tree\\n\"\nended")
    try came.expect(came)
    let line = #line + 1
    let error = #expect(throws: ExpectationFailure.self) { try came.expect(golden) }
    #expect(
      text(error) == """
        FixtureTests/TranscriptTests.swift:\(line): the conversation differs from what was expected at line 3
                    sent "one\\n"
                    sent "two\\n"
          expected  received "three\\n"
          expected  ended
          came      received "tree\\n"
          came      ended
        """)
  }

  @Test("a conversation that ends too early is told so, and which side has more")
  func missingEnd() throws {
    let golden = try Conversation("sent \"one\\n\"\nended")
    let error = #expect(throws: ExpectationFailure.self) {
      try Conversation("sent \"one\\n\"").expect(golden)
    }
    #expect(text(error).hasSuffix("  expected  ended\n  came      nothing more"))
  }

  @Test("a golden file is written the first time, which fails, and compared from then on")
  func goldenFile() async throws {
    let path = "/tmp/asyncsockets-golden-\(UInt64.random(in: 0 ... .max))"
    defer { removeFile(path) }
    let conversation = try Conversation(Self.golden)
    let missing = #expect(throws: ExpectationFailure.self) { try conversation.expect(goldenFile: path) }
    #expect(
      problem(missing).hasSuffix(
        "there was no \(path); it is there now: look at it, and run the test again"))
    try conversation.expect(goldenFile: path)
    let other = #expect(throws: ExpectationFailure.self) {
      try conversation.fromTheOtherEnd.expect(goldenFile: path)
    }
    #expect(problem(other).contains("differs from \(path) at line 1"))
    let nowhere = #expect(throws: ExpectationFailure.self) {
      try conversation.expect(goldenFile: "/nowhere/golden")
    }
    #expect(problem(nowhere).hasSuffix("cannot write /nowhere/golden"))
  }

  @Test("a transcript is bounded, and what has lost its beginning is no conversation")
  func bounded() throws {
    var transcript = Transcript()
    for _ in 0..<100 { transcript.note(.received([UInt8](repeating: 7, count: 10_000)), at: .zero) }
    #expect(transcript.omittedBytes > 700_000 && transcript.entries.count >= 12)
    #expect(transcript.omittedBytes + transcript.entries.reduce(0) { $0 + $1.event.bytes.count } == 1_000_000)
    #expect(transcript.description.hasPrefix("… \(transcript.omittedBytes) bytes before\n"))
    #expect(throws: ExpectationFailure.self) { try transcript.conversation }
  }

  @Test("times, directions, text and hex: a transcript for people")
  func forPeople() {
    var transcript = Transcript()
    transcript.note(.sent(Array("a\r\nb".utf8)), at: .milliseconds(5))
    transcript.note(.received([0xff, 0x22]), at: .seconds(61))
    transcript.note(.finished, at: .seconds(62))
    transcript.note(.ended, at: .seconds(62))
    transcript.note(.reset, at: .seconds(62))
    transcript.note(.closed("closed by the peer"), at: .seconds(62))
    #expect(
      transcript.description == """
        0.005 s  sent      "a\\r\\n"
                           61 0D 0A
                           "b"
                           62
        61.000 s  received  "\\xFF\\""
                            FF 22
        62.000 s  finished  (this end sends no more)
        62.000 s  ended     (the other end sends no more)
        62.000 s  reset     (by the other end)
        62.000 s  closed    closed by the peer
        """)
  }
}
