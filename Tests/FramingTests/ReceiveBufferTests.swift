import Framing
import TestSupport
import Testing

@Suite("The receive buffer")
struct ReceiveBufferTests {
  @Test("any order of operations does what it does to a plain array", arguments: 0..<8 as Range<UInt64>)
  func model(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var buffer = ReceiveBuffer()
    var model: [UInt8] = []
    var offset: UInt64 = 0

    func drop(_ n: Int) {
      model.removeFirst(n)
      offset += UInt64(n)
    }

    for _ in 0..<1_500 {
      // Beyond the ends now and then.
      let n = Int.random(in: -2...model.count + 2, using: &random)
      let held = Swift.max(0, Swift.min(n, model.count))
      let bytes = random.bytes(.random(in: 0...40, using: &random), from: [97, 98, 99, 0xC3, 0xA9])
      switch Int.random(in: 0..<12, using: &random) {
      case 0, 1:
        buffer.append(contentsOf: bytes)
        model += bytes
      case 2:
        buffer.append(contentsOf: bytes[(bytes.count / 3)...])
        model += bytes[(bytes.count / 3)...]
      case 3:
        unsafe bytes.withUnsafeBytes { unsafe buffer.append(copying: $0) }
        model += bytes
      case 4:
        buffer.consume(n)
        drop(held)
      case 5:
        #expect(buffer.takePrefix(n) == Array(model.prefix(held)))
        drop(held)
      case 6 where n == 0:
        #expect(buffer.takeAll() == model)
        drop(model.count)
      case 7:
        let byte = bytes.first ?? 97
        #expect(buffer.firstIndex(of: byte, from: n) == model[held...].firstIndex(of: byte))
        #expect(
          buffer.firstIndex(of: byte, or: 99, from: n)
            == model[held...].firstIndex { [byte, 99].contains($0) })
      case 8:
        #expect(buffer.string(count: n) == String(validating: model.prefix(held), as: UTF8.self))
        #expect(
          buffer.string(from: n, count: 3) == String(validating: model[held...].prefix(3), as: UTF8.self))
      case 9:
        buffer.searched = n
        #expect(buffer.searched == held)
      case 10:
        #expect(buffer.prefix(n) == Array(model.prefix(held)))
      default:
        buffer.releaseStorage()
      }
      #expect(buffer.pending == model)
      #expect(buffer.count == model.count && buffer.isEmpty == model.isEmpty && buffer.offset == offset)
      #expect(model.indices.allSatisfy { buffer[$0] == model[$0] })
    }
  }

  @Test("the first of many is found, wherever it stands in a word and in the storage")
  func searching() {
    for length in 0...40 {
      for place in 0..<length {
        var bytes = [UInt8](repeating: 0x0B, count: length)
        bytes[place] = 0x0A
        var buffer = ReceiveBuffer([0x0A, 0x0D, 0x0A] + bytes)
        buffer.consume(3)
        #expect(buffer.firstIndex(of: 0x0A) == place)
        #expect(buffer.firstIndex(of: 0x0A, from: place) == place)
        #expect(buffer.firstIndex(of: 0x0A, from: place + 1) == nil)
        #expect(buffer.firstIndex(of: 0x0D, or: 0x0A) == place)
        #expect(buffer.firstIndex(of: 0x0B, or: 0x0A) == 0)
        #expect(buffer.firstIndex(of: 0x8A) == nil)
      }
    }
  }

  @Test("every byte value can be looked for")
  func searchingEveryValue() {
    let buffer = ReceiveBuffer(Array(UInt8.min...UInt8.max))
    for byte in UInt8.min...UInt8.max { #expect(buffer.firstIndex(of: byte) == Int(byte)) }
  }

  @Test("what has been searched is forgotten once bytes are consumed, and not before")
  func searched() {
    var buffer = ReceiveBuffer([1, 2, 3, 4])
    buffer.searched = 3
    buffer.append(contentsOf: [5])
    buffer.consume(0)
    #expect(buffer.searched == 3)
    buffer.consume(1)
    #expect(buffer.searched == 0)
  }

  @Test("text is taken only if it is UTF-8, and the error says where it isn't")
  func takingText() throws {
    var buffer = ReceiveBuffer(Array("xnaïve".utf8) + [0x80])
    buffer.consume(1)
    #expect(buffer.string(count: 3) == nil)
    #expect(throws: FramingError.invalidUTF8(offset: 7)) { try buffer.takeString(100) }
    #expect(buffer.count == 7)
    #expect(try buffer.takeString(6) == "naïve")
    #expect(buffer.pending == [0x80])
    #expect(try buffer.takeString(0) == "")
  }

  @Test("bytes are copied from anywhere, and no more than there are")
  func bytes() {
    var buffer = ReceiveBuffer([9, 1, 2, 3])
    buffer.consume(1)
    #expect(buffer.bytes(from: 1, count: 1) == [2])
    #expect(buffer.bytes(count: 2) == [1, 2] && buffer.prefix(2) == [1, 2])
    #expect(buffer.bytes(from: 1, count: .max) == [2, 3] && buffer.bytes(from: .max, count: 1) == [])
    #expect(buffer.bytes(from: .min, count: 1) == [1] && buffer.bytes(from: 0, count: .min) == [])
    #expect(buffer.firstIndex(of: 2, from: .min) == 1 && buffer.firstIndex(of: 1, or: 2, from: .max) == nil)
    #expect(buffer.count == 3)
  }

  @Test("a copy goes its own way")
  func copies() {
    var original = ReceiveBuffer([1, 2, 3])
    var copy = original
    original.consume(2)
    copy.append(contentsOf: [4])
    #expect(original.pending == [3] && copy.pending == [1, 2, 3, 4])
  }

  @Test("short leftovers don't carry off the memory of a large read")
  func takingAll() {
    var buffer = ReceiveBuffer([UInt8](repeating: 1, count: 65_536))
    buffer.consume(65_536)
    buffer.append(contentsOf: [2])
    #expect(buffer.takeAll().capacity < 1_024)
    buffer.releaseStorage()
    #expect(buffer.offset == 65_537)
  }
}
