import Framing
import TestSupport
import Testing

@Suite("No framing")
struct RawFramingTests {
  @Test("a frame is what a read brought, and nothing is no frame")
  func decoding() {
    var feed = Feed(RawFraming())
    #expect(feed.read("") == [])
    #expect(feed.read("one") == [Array("one".utf8)])
    #expect(feed.read("two") == [Array("two".utf8)])
    #expect(!feed.decoder.isMidFrame(feed.buffer))
    #expect(feed.end() == [])
  }

  @Test("what is left at the end of the stream is a last frame")
  func finishing() throws {
    var buffer = ReceiveBuffer([1, 2])
    let decoder = RawFraming().makeDecoder()
    #expect(try decoder.finish(&buffer) == [1, 2])
    #expect(try decoder.finish(&buffer) == nil)
  }

  @Test("frames are sent as they are, and an empty one is nothing")
  func encoding() throws {
    #expect(try encode(RawFraming(), Array("a\n".utf8), [], Array("b".utf8)) == "a\nb")
  }

  @Test("frames, put together, are the stream", arguments: 0..<4 as Range<UInt64>)
  func concatenation(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let stream = random.bytes(500, from: Array(UInt8.min...UInt8.max))
    let outcome = Outcome(of: RawFraming(), reads: random.split(stream), ended: true)
    #expect(Array(outcome.frames.joined()) == stream && outcome.pending == [])
  }
}
