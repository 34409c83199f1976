import Framing
import Synchronization

/// A connection that speaks in frames: a codec turns its bytes into messages and messages into bytes.
///
/// Everything that `Connection` promises holds; `connection` reaches the rest of it. The codec's values belong to
/// this handle, the received bytes to the connection, so that the codec can be exchanged at any frame.
public final class FramedConnection<F: Framing>: Sendable {
  /// What arrives: the decoder's frames.
  public typealias InboundFrame = F.Decoder.Frame
  /// What is sent: the encoder's frames.
  public typealias OutboundFrame = F.Encoder.Frame

  /// The connection underneath.
  public let connection: Connection

  @usableFromInline let core: ConnectionCore
  @usableFromInline let decoder: DecoderSlot<F.Decoder>
  @usableFromInline let encoder: Lock<F.Encoder>
  @usableFromInline let phase: Atomic<FramedPhase>
  /// What `request` needs, from the first on.
  let inOrder = Lock<RequestExchange<F, Never>?>(nil)
  /// Kept here, since nothing can be locked when it is released.
  private let loans: LoanRecord?

  init(
    _ connection: Connection, decoder: F.Decoder, encoder: F.Encoder, phase: FramedPhase = .live
  ) {
    self.connection = connection
    self.phase = Atomic(phase)
    core = connection.core
    self.decoder = DecoderSlot(decoder)
    self.encoder = Lock(encoder)
    loans = core.loans
    loans?.add(self)
  }

  deinit {
    // Part of a frame goes with the decoder. The rest, when it comes, is for nobody.
    if let loans, !isSwitched, decoder.value.isMidFrame(ReceiveBuffer()) { loans.spoil() }
  }

  // MARK: Reading

  /// The frames that arrive, as a sequence that ends with the peer's stream.
  @inlinable
  public var inbound: InboundFrames<F> { InboundFrames(connection: self) }

  /// The next frame, waiting for it to be whole.
  ///
  /// - Parameter deadline: when to give up; what has arrived of the frame is kept.
  /// - Returns: the frame; `nil` at the end of the stream.
  /// - Throws: `FramingError` when the bytes are not what the codec expects, from then on always; `SocketError`;
  ///   `.timedOut` and `CancellationError` have consumed nothing.
  @inlinable @inline(__always)
  public func next(deadline: Deadline = .never) async throws -> InboundFrame? {
    try await core.nextFrame(deadline: deadline, operation: "next") { isFinishing in
      if phase.load(ordering: .relaxed) != .live { return try takeFirstFrame(isFinishing: isFinishing) }
      return try core.takeFrame(isFinishing: isFinishing, &decoder.value)
    }
  }

  @usableFromInline @inline(never)
  func takeFirstFrame(isFinishing: Bool) throws -> FrameStep<InboundFrame> {
    try checkIsNotSwitched()
    let step = try core.takeFrame(isFinishing: isFinishing, &decoder.value)
    if case .frame = step {
      _ = phase.compareExchange(expected: .awaitsFirstFrame, desired: .live, ordering: .relaxed)
      core.tellOfFirstFrame()
    }
    return step
  }

  // MARK: Writing

  /// Sends one frame: whole, or not at all; waits and fails as `Connection.send(_:)` does.
  ///
  /// - Throws: also `FramingError` when the frame cannot be encoded, in which case nothing is sent.
  @inlinable @inline(__always)
  public func send(_ frame: OutboundFrame) async throws {
    try await core.send { holdsTurn in try offer(frame, holdsTurn: holdsTurn) }
  }

  @inlinable @inline(never)
  func offer(
    _ frame: OutboundFrame, holdsTurn: Bool, mayBeNothing: Bool = true
  ) throws -> ConnectionCore.SendStep {
    try encoder.withLock { encoder in
      if phase.load(ordering: .relaxed) == .switched { throw SocketError.switched }
      // A copy, since an encoder with a memory must forget a frame that has to wait.
      var attempt = encoder
      var bytes = core.takeEncodingMemory()
      defer { core.giveBack(encodingMemory: &bytes) }
      let start = bytes.count
      try attempt.encode(frame, into: &bytes)
      if !mayBeNothing, bytes.count == start {
        throw FramingError.unencodable("the encoder makes no bytes of it, so that no reply would come")
      }
      let step = try core.trySend(copying: bytes, from: start, holdsTurn: holdsTurn)
      if case .mustWait = step { return step }
      encoder = attempt
      return step
    }
  }

  /// Returns when the kernel has everything that was sent before; see `Connection.flush()`.
  public func flush() async throws {
    try checkIsNotSwitched()
    try await core.flush()
  }

  /// Ends the outgoing stream (half-close); see `Connection.finishWriting()`.
  public func finishWriting() async throws {
    try checkIsNotSwitched()
    try await core.finishWriting()
  }

  /// Closes in good order; see `Connection.close()`.
  public func close() async { await connection.close() }

  /// Resets the connection at once; see `Connection.abort()`.
  public func abort() { connection.abort() }

  // MARK: Switching

  /// Goes on with another codec in both directions.
  ///
  /// Bytes that were received and not decoded yet go to the new codec verbatim; output that was sent before stays
  /// as it was framed.
  ///
  /// - Returns: the connection in its new codec. This handle is spent: it throws `SocketError.switched`, and can but close
  ///   or abort the connection.
  /// - Throws: `SocketError.busy` while a task is reading, `.switched` the second time.
  public func switching<G: Framing>(to framing: G) throws(SocketError) -> FramedConnection<G> {
    try retire { _, _ in (framing.makeDecoder(), framing.makeEncoder()) }
  }

  /// Goes on with another codec for what arrives; what is sent stays as it is.
  ///
  /// - Returns: as `switching(to:)`.
  public func switching<G: Framing>(
    inbound framing: G
  ) throws(SocketError) -> FramedConnection<DuplexFraming<G, F>> {
    try retire { _, encoder in (framing.makeDecoder(), encoder) }
  }

  /// Goes on with another codec for what is sent; what arrives stays as it is.
  ///
  /// - Returns: as `switching(to:)`.
  public func switching<G: Framing>(
    outbound framing: G
  ) throws(SocketError) -> FramedConnection<DuplexFraming<F, G>> {
    try retire { decoder, _ in (decoder, framing.makeEncoder()) }
  }

  private func checkIsNotSwitched() throws(SocketError) {
    if phase.load(ordering: .relaxed) == .switched { throw .switched }
  }

  private func retire<G: Framing>(
    _ codecs: (F.Decoder, F.Encoder) -> (G.Decoder, G.Encoder)
  ) throws(SocketError) -> FramedConnection<G> {
    try core.reading.claim(for: "switching")
    defer { core.reading.release() }
    let (last, phase) = try encoder.withLock { encoder throws(SocketError) in
      // Under the lock that sends of encoded bytes hold, too.
      let phase = core.state.withLock { _ in self.phase.exchange(.switched, ordering: .relaxed) }
      if phase == .switched { throw .switched }
      return (encoder, phase)
    }
    let current = decoder.value
    core.reading.contents.buffer.forgetSearch()
    let (decoder, encoder) = codecs(current, last)
    return FramedConnection<G>(connection, decoder: decoder, encoder: encoder, phase: phase)
  }
}

extension FramedConnection {
  /// This end's address; see `Connection.localAddress`.
  public var localAddress: SocketAddress? { connection.localAddress }

  /// The other end's address; see `Connection.peerAddress`.
  public var peerAddress: SocketAddress? { connection.peerAddress }

  /// The event loop that serves it; see `Connection.loop`.
  public var loop: EventLoop { connection.loop }

  /// How much has been moved so far; see `Connection.counters`.
  public var counters: Connection.Counters { connection.counters }

  /// How the connection ended; see `Connection.closeReason`.
  public var closeReason: CloseReason? { connection.closeReason }

  /// Whether the server has begun to drain; see `Connection.isDraining`.
  public var isDraining: Bool { connection.isDraining }
}
