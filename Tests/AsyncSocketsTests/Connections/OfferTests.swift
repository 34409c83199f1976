import AsyncSockets
import Framing
import TestHarness
import Testing

@Suite("Offering what need not be sent", .timeLimit(.minutes(4)))
struct OfferTests {
  @Test("an offer is accepted whole below the high mark, and not at all above it", arguments: Place.allCases)
  func marks(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      #expect(try link.connection.offer("12345"))
      #expect(try link.connection.offer("6789"))
      // Up to one message above the high mark, as every send.
      #expect(try link.connection.offer("abcdef"))
      #expect(try !link.connection.offer("never"))
      #expect(try !link.connection.offer(""))
      #expect(link.connection.queued == 15)
      transport.unblock()
      try await link.connection.flush()
      #expect(transport.record.written.elementsEqual("123456789abcdef".utf8))
      #expect(try link.connection.offer("again"))
      try await link.connection.flush()
    }
  }

  @Test("an offer does not overtake those who wait their turn", arguments: Place.allCases)
  func noOvertaking(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      try await link.connection.sendWithoutWaiting("0123456789")
      async let waiting: Void = link.connection.send("patient")
      try await untilWriting(link.connection)
      #expect(try !link.connection.offer("hasty"))
      transport.unblock()
      try await waiting
      try await link.connection.flush()
      #expect(transport.record.written.elementsEqual("0123456789patient".utf8))
    }
  }

  @Test("an offer of a frame that is not accepted leaves the encoder as it was")
  func frames() async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(.offLoop, transport, options: try .marks(high: 6, low: 2)) { link in
      let numbered = link.connection.framed(NumberedFraming())
      #expect(try numbered.offer("a"))
      #expect(try numbered.offer("b"))
      #expect(try !numbered.offer("lost"))
      transport.unblock()
      try await numbered.flush()
      #expect(try numbered.offer("c"))
      try await numbered.flush()
      #expect(transport.record.written.elementsEqual("1:a\n2:b\n3:c\n".utf8))
    }
  }

  @Test("an offer throws what a send would throw", arguments: Place.allCases)
  func errors(_ place: Place) async throws {
    try await withScript(place) { link in
      let lines = link.connection.framed(.lines)
      _ = try lines.switching(to: .lines)
      #expect(throws: SocketError.switched) { try lines.offer("line") }
      try await link.connection.finishWriting()
      #expect(throws: SocketError.finishedWriting) { try link.connection.offer("late") }
      link.connection.abort()
      #expect(throws: SocketError.closed) { try link.connection.offer("later") }
    }
  }
}

/// Lines that count themselves.
private struct NumberedFraming: Framing {
  struct Encoder: FrameEncoder {
    var number = 0

    mutating func encode(_ frame: String, into output: inout [UInt8]) throws(FramingError) {
      number += 1
      output += "\(number):\(frame)\n".utf8
    }
  }

  func makeDecoder() -> LineFraming.Decoder { LineFraming().makeDecoder() }
  func makeEncoder() -> Encoder { Encoder() }
}
