public import AsyncSockets
public import Framing

/// One connection of a test, in the test's hands: it sends, and it expects.
///
/// ```swift
/// try await peer.send("+OK ready")
/// try await peer.expect("QUIT")
/// try await peer.expectEnd()
/// ```
///
/// Every expectation has a deadline, twenty seconds unless said otherwise, and fails with what came instead and the
/// transcript of the connection (``ExpectationFailure``). One task at a time receives; any number may send, and each send
/// is whole.
public final class TestPeer<F: Framing>: Sendable {
  /// What is received.
  public typealias InboundFrame = F.Decoder.Frame
  /// What is sent.
  public typealias OutboundFrame = F.Encoder.Frame

  let core: PeerCore
  private let decoder: Lock<F.Decoder>
  private let encoder: Lock<F.Encoder>
  private let onInput: @Sendable (InboundFrame) -> Void

  init(
    _ core: PeerCore, _ framing: F, onInput: @escaping @Sendable (InboundFrame) -> Void = { _ in }
  ) {
    self.core = core
    self.onInput = onInput
    decoder = Lock(framing.makeDecoder())
    encoder = Lock(framing.makeEncoder())
  }
}

// MARK: - What it is

extension TestPeer {
  /// The client's number: 1 for the first that came to the server. 0 for a client of the test's own.
  public var id: Int { info.id }

  /// Who is at the other end, and how it ended.
  public var info: ClientInfo {
    var info = core.info.withLock { $0 }
    if info.closeReason == nil { info.closeReason = connection.closeReason }
    return info
  }

  /// What has gone over the connection.
  public var transcript: Transcript { core.transcript }

  /// The connection itself. What is read from it directly is not in the transcript, and neither is what is sent.
  public var connection: Connection { core.connection }

  /// The event loop that serves it.
  public var loop: EventLoop { core.loop }

  /// Goes on with another codec: what was received and not taken is the new one's.
  ///
  /// Use one of the two from then on.
  public func framed<G: Framing>(_ framing: G) -> TestPeer<G> {
    core.state.withLock { $0.buffer.forgetSearch() }
    return TestPeer<G>(core, framing)
  }
}

// MARK: - Receiving

extension TestPeer {
  /// The next frame, whatever it is.
  ///
  /// - Parameter deadline: when to give up; never by default.
  /// - Returns: the frame; `nil` at the end of the stream.
  /// - Throws: `FramingError`; `SocketError`; `.timedOut` and `CancellationError` have consumed nothing.
  public func next(deadline: Deadline = .never) async throws -> InboundFrame? {
    // Chunks come one by one, and the deadline is that of them all.
    let deadline = core.loop.fixed(deadline)
    while true {
      let frame = try decoder.withLock { decoder in
        try core.state.withLock { state in try decoder.decode(&state.buffer) }
      }
      if let frame { return input(frame) }
      guard try await core.receive(deadline: deadline) else { break }
    }
    if core.isLeaving { return nil }
    let last = try decoder.withLock { decoder in
      try core.state.withLock { state in try decoder.finish(&state.buffer) }
    }
    return last.map(input)
  }

  private func input(_ frame: InboundFrame) -> InboundFrame {
    onInput(frame)
    return frame
  }

  /// The frames that arrive, up to the end of the stream.
  public var inbound: Inbound { Inbound(peer: self) }

  /// The frames that a peer receives.
  public struct Inbound: AsyncSequence, AsyncIteratorProtocol, Sendable {
    let peer: TestPeer

    /// Itself.
    public func makeAsyncIterator() -> Inbound { self }

    /// The next frame; `nil` at the end.
    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(any Error) -> InboundFrame? {
      try await peer.next()
    }
  }
}

// MARK: - Sending

extension TestPeer {
  /// Sends a frame, and returns when the kernel has it.
  ///
  /// - Parameter limit: how long the other end may take to make room; as long as the peer's patience by default.
  /// - Throws: ``ExpectationFailure`` when it takes longer; `SocketError`, `FramingError`, `CancellationError`.
  public func send(
    _ frame: OutboundFrame, within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    try await send(contentsOf: [frame], within: limit, file: file, line: line)
  }

  /// Sends frames in order, with nothing of others between them; see `send(_:within:)`.
  public func send(
    contentsOf frames: [OutboundFrame], within limit: Duration? = nil, file: String = #fileID,
    line: Int = #line
  ) async throws {
    try await core.send(within: limit, at: SourcePlace(file: file, line: line)) {
      try frames.reduce(into: []) { bytes, frame in bytes += try encode(frame) }
    }
  }

  func encode(_ frame: OutboundFrame) throws -> [UInt8] {
    try encoder.withLock { encoder in
      var bytes: [UInt8] = []
      try encoder.encode(frame, into: &bytes)
      return bytes
    }
  }

  /// Sends bytes as they are, past the codec: half a frame, two at once, or what no codec would make.
  public func send(
    bytes: some Sequence<UInt8>, within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    try await core.send(within: limit, at: SourcePlace(file: file, line: line)) { Array(bytes) }
  }

  /// Sends text as UTF-8, past the codec.
  public func send(
    bytes text: String, within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    try await send(bytes: text.utf8, within: limit, file: file, line: line)
  }

  /// Finishes this end's stream (half-close); the other end may go on.
  public func finishWriting() async throws { try await core.finishWriting() }
}

// MARK: - Ending

extension TestPeer {
  /// Takes no more input: `inbound` ends, what is sent still goes, and the connection closes when whoever serves it
  /// returns.
  public func disconnect() { core.leave() }

  /// Closes after what is pending, and returns when the connection is over: when the other end has finished too, or a
  /// second later.
  public func close() async { await core.close() }

  /// Resets the connection at once; what is pending may be lost.
  public func terminate() { core.abort() }
}
