import Framing
import TestSupport
import Testing

@Suite("Work, counted in bytes")
struct LinearTimeTests {
  @Test(
    "a line that comes byte by byte is looked at once",
    arguments: [
      .newline, .anyNewline, .autodetect, "\n", "\r\n\r\n", .oneOf("\n", "--"), .run(of: "\n", atLeast: 2),
    ] as [LineTerminator])
  func scannedOnce(terminator: LineTerminator) throws {
    var feed = Feed(try LineFraming(terminator))
    var looked = 0
    for _ in 0..<4_000 {
      looked += feed.buffer.count + 1 - feed.buffer.searched
      #expect(feed.read([97]) == [])
    }
    #expect(looked == 4_000)
  }

  @Test(
    "a codec begins to look where it stopped", arguments: [.newline, .anyNewline, "\r"] as [LineTerminator])
  func resumes(terminator: LineTerminator) throws {
    var feed = Feed(try LineFraming(terminator))
    feed.buffer.append(contentsOf: Array("a\r\nb".utf8))
    feed.buffer.searched = 4
    #expect(feed.read("c") == [])
    feed.buffer.forgetSearch()
    #expect(feed.read("").first == "a")
  }

  @Test(
    "consuming moves no more bytes than it consumes, whether the buffer grows or not", arguments: [32, 66])
  func compaction(longestRead: Int) {
    var random = SeededGenerator(seed: 4)
    var buffer = ReceiveBuffer()
    var consumed = 0
    var moved = 0
    for _ in 0..<20_000 {
      let head = buffer.head
      let held = buffer.count
      buffer.append(contentsOf: [UInt8](repeating: 1, count: .random(in: 0...longestRead, using: &random)))
      if buffer.head < head { moved += held }
      let taken = Int.random(in: 0...33, using: &random)
      consumed += Swift.min(taken, buffer.count)
      buffer.consume(taken)
    }
    #expect(moved <= consumed)
  }

  @Test("a buffer that is never empty gives up what has been consumed all the same")
  func boundedMemory() {
    var buffer = ReceiveBuffer([UInt8](repeating: 1, count: 100))
    for _ in 0..<10_000 {
      buffer.append(contentsOf: [UInt8](repeating: 1, count: 16))
      buffer.consume(16)
    }
    #expect(buffer.count == 100)
    #expect(buffer.head < 1_000)
  }
}
