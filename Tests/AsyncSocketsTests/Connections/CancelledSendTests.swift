import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Sends that are cancelled or refused under pressure", .timeLimit(.minutes(4)))
struct CancelledSendTests {
  @Test("cancelled while it waits its turn, a send sends nothing (P41)", arguments: Route.allCases)
  func waitingForTurn(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let first = payload(1_000_000)
      try await link.connection.sendWithoutWaiting(first)
      let accepted = link.connection.counters.bytesAccepted
      for _ in 0..<3 {
        let error = try await cancelled(once: { try waitingWriters(link.connection) == 1 }) {
          try await link.connection.send("never")
        }
        #expect(error is CancellationError)
      }
      #expect(link.connection.counters.bytesAccepted == accepted)
      async let received = onThread { try link.peer.receiveToEnd() }
      try await link.connection.send("after")
      try await link.connection.finishWriting()
      #expect(areSame(try await received, first + bytes("after")))
    }
  }

  @Test("cancelled once it is accepted, a send returns and its bytes go (P41)", arguments: Route.allCases)
  func accepted(_ route: Route) async throws {
    try await withLink(route, hasSmallBuffers: true) { link in
      let message = payload(1_000_000)
      let error = try await cancelled(once: { try waitingWriters(link.connection) == 1 }) {
        try await link.connection.send(message)
      }
      #expect(error == nil)
      #expect(link.connection.queued > 65_536)
      async let received = onThread { try link.peer.receiveToEnd() }
      try await link.connection.send("after")
      try await link.connection.finishWriting()
      #expect(areSame(try await received, message + bytes("after")))
    }
  }

  @Test("one who gives up in the queue does not keep those behind from their turn", arguments: Place.allCases)
  func cancelledInTheMiddle(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      try await link.connection.sendWithoutWaiting("0123456789")
      async let first: Void = link.connection.send("<1>")
      try await untilWriting(link.connection)
      let error = try await cancelled(once: { try waitingWriters(link.connection) == 2 }) {
        try await link.connection.send("<2>")
      }
      #expect(error is CancellationError)
      async let third: Void = link.connection.send("<3>")
      try await untilWriting(link.connection, count: 2)
      transport.unblock()
      try await first
      try await third
      try await link.connection.flush()
      #expect(transport.record.written == bytes("0123456789<1><3>"))
    }
  }

  @Test("an empty send that has waited its turn passes it on", arguments: Place.allCases)
  func emptySend(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      try await link.connection.sendWithoutWaiting("0123456789")
      let returned = Count()
      async let empty: Void = {
        try await link.connection.send([])
        returned.increase()
      }()
      try await eventually("it waits, or has nothing to wait for") {
        try waitingWriters(link.connection) + returned.value == 1
      }
      let waiting = try waitingWriters(link.connection)
      async let next: Void = link.connection.send("next")
      try await untilWriting(link.connection, count: waiting + 1)
      transport.unblock()
      try await empty
      try await next
      try await link.connection.flush()
      #expect(transport.record.written == bytes("0123456789next"))
    }
  }

  @Test("senders that wait while the stream is ended are all refused", arguments: Place.allCases)
  func finishedMeanwhile(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      try await link.connection.sendWithoutWaiting("0123456789")
      async let one = socketError { try await link.connection.send("1") }
      async let two = socketError { try await link.connection.send("2") }
      async let three = socketError { try await link.connection.send("3") }
      try await untilWriting(link.connection, count: 3)
      async let finishing: Void = link.connection.finishWriting()
      for _ in 0..<3 { await link.loop.nextTurn() }
      transport.unblock()
      #expect(await one == .finishedWriting)
      #expect(await two == .finishedWriting)
      #expect(await three == .finishedWriting)
      try await finishing
      #expect(transport.record.written == bytes("0123456789"))
      #expect(transport.record.shutdowns == 1)
    }
  }

  @Test("a sender that is refused because of a switch passes its turn on", arguments: Place.allCases)
  func switchedMeanwhile(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      let old = link.connection.framed(LineFraming())
      try await link.connection.sendWithoutWaiting("0123456789")
      async let refused = socketError { try await old.send("old") }
      try await untilWriting(link.connection)
      let new = try old.switching(to: RawFraming())
      transport.unblock()
      #expect(await refused == .switched)
      try await new.send(bytes("new"))
      try await new.flush()
      #expect(transport.record.written == bytes("0123456789new"))
    }
  }

  @Test("a frame that can't be encoded the second time passes its turn on", arguments: Place.allCases)
  func encoderFailsMeanwhile(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport, options: try .marks(high: 10, low: 5)) { link in
      let fickle = link.connection.framed(FickleFraming(failsFrom: 2))
      try await link.connection.sendWithoutWaiting("0123456789")
      async let refused = failure { try await fickle.send("x") }
      try await untilWriting(link.connection)
      transport.unblock()
      _ = await refused
      try await link.connection.send("next")
      try await link.connection.flush()
      #expect(transport.record.written.suffix(4) == bytes("next")[...])
    }
  }
}

/// Lines whose encoder fails from a certain call on, counting all of them.
private struct FickleFraming: Framing {
  let failsFrom: Int
  private let calls = Count()

  init(failsFrom: Int) { self.failsFrom = failsFrom }

  struct Encoder: FrameEncoder {
    let failsFrom: Int
    let calls: Count

    mutating func encode(_ frame: String, into output: inout [UInt8]) throws(FramingError) {
      if calls.increase() >= failsFrom { throw .malformed("fickle", offset: 0) }
      output += bytes(frame)
    }
  }

  func makeDecoder() -> LineFraming.Decoder { LineFraming().makeDecoder() }
  func makeEncoder() -> Encoder { Encoder(failsFrom: failsFrom, calls: calls) }
}
