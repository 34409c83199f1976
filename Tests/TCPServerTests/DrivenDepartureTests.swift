import Framing
import Peers
import TCPServer
import TestHarness
import TestSupport
import Testing

/// `pause` reads no more, `stay` outlives the end of its input.
private struct Sleeper: ConnectionHandler {
  let ends: Shared<[CloseReason]>
  var stays = false

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    if line == "pause" { context.isReading = false }
    if line == "stay" { stays = true }
    try context.send(line)
  }

  func endOfInput(_ context: borrowing HandlerContext<LineFraming>) throws {
    if stays { try context.send("stays") } else { context.close() }
  }

  func closed(_ reason: CloseReason) { ends.change { $0.append(reason) } }
}

@Suite("A synchronous handler that does not read when its peer goes", .timeLimit(.minutes(4)))
struct DrivenDepartureTests {
  private func withSleepers(
    _ cancellation: TCPServer.HandlerCancellation,
    body: @escaping @Sendable (TCPServer, EventLoop, Shared<[CloseReason]>) async throws -> Void
  ) async throws {
    var configuration = TCPServer.Configuration()
    configuration.cancelsHandlers = cancellation
    let ends = Shared<[CloseReason]>([])
    try await withAuditedLoops(clock: ManualClock()) { [configuration] loops in
      let server = try await TCPServer.bind(on: .loopback(), configuration: configuration)
      async let running: Void = server.run(handledBy: Sleeper(ends: ends), framing: .lines)
      try await body(server, loops.loops[0], ends)
      server.beginDrain(deadline: .zero)
      try await running
    }
  }

  @Test("is told at once if the configuration says so (P44)", arguments: [Departure.reset, .close])
  func told(_ departure: Departure) async throws {
    try await withSleepers(.onEndOfStream) { server, _, ends in
      let peer = try await server.connect()
      #expect(try await peer.ask("pause") == "pause")
      try departure.carryOut(peer)
      try await eventually("it has ended") { ends.value == [departure.reason] }
    }
  }

  @Test("stays for what its peer may still want, when that has only ended its stream")
  func halfClosed() async throws {
    try await withSleepers(.onReset) { server, loop, ends in
      let peer = try await server.connect()
      #expect(try await peer.ask("pause") == "pause")
      try peer.halfClose()
      for _ in 0..<5 { await loop.nextTurn() }
      #expect(ends.value == [])
      try peer.reset()
      try await eventually("it has ended") { ends.value == [.reset] }
    }
  }

  @Test("and was told of the end of the stream before, and stays, ends by a reset alone")
  func stays() async throws {
    try await withSleepers(.onEndOfStream) { server, loop, ends in
      let peer = try await server.connect()
      #expect(try await peer.ask("stay") == "stay")
      try peer.halfClose()
      try await onThread { try peer.expectLine("stays") }
      for _ in 0..<5 { await loop.nextTurn() }
      #expect(ends.value == [])
      try peer.reset()
      try await eventually("it has ended") { ends.value == [.reset] }
    }
  }

  @Test("learns nothing of it, by default")
  func never() async throws {
    try await withSleepers(.never) { server, loop, ends in
      let peer = try await server.connect()
      #expect(try await peer.ask("pause") == "pause")
      try peer.reset()
      for _ in 0..<5 { await loop.nextTurn() }
      #expect(ends.value == [])
    }
  }
}
