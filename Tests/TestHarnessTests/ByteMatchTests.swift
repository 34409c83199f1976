import Framing
import TestHarness
import Testing

@Suite("Expected bytes")
struct ByteMatchTests {
  @Test("are found in whatever reads they come, and only they")
  func outcomes() {
    var match = ByteMatch(Array("hello".utf8))
    var buffer = ReceiveBuffer()
    #expect(match.look(at: buffer) == .more)
    buffer.append(contentsOf: Array("hel".utf8))
    #expect(match.look(at: buffer) == .more)
    #expect(match.look(at: buffer) == .more)
    buffer.append(contentsOf: Array("lo, you".utf8))
    #expect(match.look(at: buffer) == .whole)

    var other = ByteMatch(Array("help".utf8))
    #expect(other.look(at: buffer) == .differs)
    var nothing = ByteMatch([])
    #expect(nothing.look(at: ReceiveBuffer()) == .whole)
  }

  #if DEBUG
    @Test("are looked at once each, however many reads they come in")
    func linear() {
      let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
      var match = ByteMatch(bytes)
      var buffer = ReceiveBuffer()
      let counter = LookCounter()
      buffer.lookCounter = counter
      for byte in bytes.dropLast() {
        buffer.append(contentsOf: [byte])
        #expect(match.look(at: buffer) == .more)
      }
      buffer.append(contentsOf: [bytes[9_999]])
      #expect(match.look(at: buffer) == .whole)
      #expect(counter.count == bytes.count)
    }
  #endif
}
