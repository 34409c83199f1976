import Framing

/// A driver that knows the codec: what a handler's context works on.
@usableFromInline
class CodecDriver<Codec: Framing>: ConnectionDriver, @unchecked Sendable {
  @safe @exclusivity(unchecked) @usableFromInline final var decoder: Codec.Decoder
  @safe @exclusivity(unchecked) @usableFromInline final var encoder: Codec.Encoder

  @inlinable
  init(_ core: ConnectionCore, _ codec: Codec, number: Int, _ reactions: Reactions) throws(SocketError) {
    decoder = codec.makeDecoder()
    encoder = codec.makeEncoder()
    try super.init(core, number: number, reactions)
  }

  @inlinable
  final func send(_ frame: Codec.Encoder.Frame) throws {
    var bytes = try beginSending()
    defer { endSending(&bytes) }
    // What a frame that can't be encoded has left is taken back, from the encoder's memory too.
    let start = bytes.count
    var attempt = encoder
    do {
      try attempt.encode(frame, into: &bytes)
    } catch {
      bytes.removeLast(max(0, bytes.count - start))
      throw error
    }
    encoder = attempt
  }

  /// The same, when the callback under way may be another connection's: the loop's memory is that one's then.
  final func sendFromOutside(_ frame: Codec.Encoder.Frame) throws {
    if hasSent { return try send(frame) }
    var attempt = encoder
    var bytes = core.takeEncodingMemory()
    defer { core.giveBack(encodingMemory: &bytes) }
    let start = bytes.count
    try attempt.encode(frame, into: &bytes)
    // Others who fill its output, as a broadcast does, do not make an error of its next answer: it is accepted, and then
    // nothing more is read.
    try accept(core.trySend(copying: bytes, from: start, holdsTurn: !isThrottled))
    // An encoder with a memory must forget a frame that was refused.
    encoder = attempt
  }

  /// The next frames are those of another codec. What has arrived and has not been decoded goes to it.
  final func switchCodec(to codec: Codec) {
    hasSwitched = true
    core.reading.contents.buffer.forgetSearch()
    decoder = codec.makeDecoder()
    encoder = codec.makeEncoder()
  }
}

/// Runs a connection by a handler of the user's.
@usableFromInline
final class HandlerDriver<Handler: ConnectionHandler>: CodecDriver<Handler.Codec>, @unchecked Sendable {
  @safe @exclusivity(unchecked) @usableFromInline var handler: Handler

  @inlinable
  init(
    _ core: ConnectionCore, _ handler: Handler, _ codec: Handler.Codec, number: Int = 0,
    _ reactions: Reactions
  ) throws(SocketError) {
    self.handler = handler
    try super.init(core, codec, number: number, reactions)
  }

  @inlinable @inline(__always)
  func react(
    to occasion: Occasion, reading read: (borrowing HandlerContext<Handler.Codec>) throws -> Void
  ) throws {
    let context = HandlerContext<Handler.Codec>(self)
    switch occasion {
    case .input: try read(context)
    case .started:
      try handler.connected(context)
      try read(context)
    case .room:
      try handler.writable(context)
      try read(context)
    case .deadline: try handler.timedOut(context)
    case .over: handler.closed(core.endReason)
    }
  }

  @inlinable
  func readFrames(_ context: borrowing HandlerContext<Handler.Codec>) throws {
    while isReading {
      switch try core.takeFrame(isFinishing: isFinishing, &decoder) {
      case .frame(let frame): try handler.received(frame, context)
      case .end:
        inputHasEnded = true
        try handler.endOfInput(context)
      case .yield: return waitForTurn()
      case .needsBytes:
        if core.reading.contents.isDry {
          core.reading.contents.isDry = false
          return waitForInput()
        }
        switch try core.fillNow(finishingFrame: isFinishing) {
        case .bytes: continue
        // Either the stream has ended, or the server drains, and a frame that has begun may still become whole.
        case .end, .drained: if !core.reading.contents.hasEnded { isFinishing = true }
        case .yield: return waitForTurn()
        case .wouldBlock: return waitForInput()
        }
      }
    }
  }
}

extension ConnectionHandler {
  /// How drivers of such handlers call them: to be made where the handler's type is known, once for all connections.
  @inlinable
  package static func reactions(
    ended: @escaping @Sendable (ConnectionDriver) -> Void
  ) -> ConnectionDriver.Reactions {
    ConnectionDriver.Reactions(
      react: { driver, occasion in
        let driver = unsafe unsafeDowncast(driver, to: HandlerDriver<Self>.self)
        try driver.react(to: occasion) { try driver.readFrames($0) }
      }, ended: ended)
  }

  /// What runs a connection by a copy of this handler, once it is started.
  ///
  /// - Parameter number: what the caller knows it by.
  /// - Throws: `SocketError.busy` while a task reads.
  @inlinable
  package func driver(
    of connection: Connection.Handle, framing: Codec, number: Int = 0, _ reactions: ConnectionDriver.Reactions
  ) throws(SocketError) -> ConnectionDriver {
    try HandlerDriver(connection.core, self, framing, number: number, reactions)
  }
}
