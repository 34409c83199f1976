import Framing
import Testing

@Suite("Switching codecs on a live stream")
struct CodecSwitchTests {
  @Test("scenario E7: the part of a frame that the old codec left goes to the new one verbatim")
  func partialFrame() throws {
    var buffer = ReceiveBuffer()
    var lines = LineFraming().makeDecoder()
    buffer.append(contentsOf: Array("whole\npart".utf8))
    #expect(try lines.decode(&buffer) == "whole")
    #expect(try lines.decode(&buffer) == nil)
    buffer.forgetSearch()
    #expect(try RawFraming().makeDecoder().decode(&buffer) == Array("part".utf8))
  }

  @Test("scenario E7: the new codec sees what the old one has searched in vain")
  func searchedByTheOldOne() throws {
    var buffer = ReceiveBuffer(Array("a;b".utf8))
    var lines = LineFraming().makeDecoder()
    #expect(try lines.decode(&buffer) == nil)
    buffer.forgetSearch()
    var semicolons = try LineFraming(";").makeDecoder()
    #expect(try semicolons.decode(&buffer) == "a")
    #expect(buffer.pending == Array("b".utf8))
  }

  @Test("no byte is lost or repeated, whichever frame the switch comes after and however reads are cut")
  func afterEveryFrame() throws {
    let parts = ["one\n", "two\r\n", "\n", "four\n", "rest"]
    let stream = Array(parts.joined().utf8)
    for switchAfter in 0..<parts.count {
      for cut in stream.indices {
        var buffer = ReceiveBuffer()
        var decoder = LineFraming().makeDecoder()
        var frames = 0
        var rest: [UInt8] = []
        for read in [stream[..<cut], stream[cut...]] {
          buffer.append(contentsOf: read)
          while frames < switchAfter, try decoder.decode(&buffer) != nil { frames += 1 }
          if frames == switchAfter {
            buffer.forgetSearch()
            rest += try RawFraming().makeDecoder().decode(&buffer) ?? []
          }
        }
        #expect(String(decoding: rest, as: UTF8.self) == parts[switchAfter...].joined())
      }
    }
  }

  @Test("the second half of a pair goes to the new codec if it comes after the switch")
  func mateAfterSwitch() throws {
    var any = Feed(LineFraming.anyNewline)
    #expect(any.read("a\r") == ["a"])
    var next = Feed(LineFraming())
    next.buffer = any.buffer
    #expect(next.read("\nb\n") == ["", "b"])
  }
}
