import Framing
import Synchronization

/// A connected stream of bytes in both directions: TCP, a Unix socket, or a transport of your own.
///
/// It may be used from any task, on or off its event loop. One task at a time reads; any number may send, and each
/// send reaches the wire whole, in call order. Reading is pull-driven: nothing is taken from the kernel before
/// somebody asks, so that a slow reader slows its peer down.
///
/// Whoever is handed a connection by a scope (`TCPServer.serve`) need not close it. Everybody else calls `close()`
/// or `abort()`; a connection whose last handle is dropped without is aborted, and counted in
/// `EventLoop.census`.
public final class Connection: Sendable {
  @usableFromInline package let handle: Handle

  /// The core, which modules above may hold without knowing its parts.
  @usableFromInline
  package struct Handle: Sendable {
    @usableFromInline let core: ConnectionCore
  }

  @inlinable
  var core: ConnectionCore { handle.core }

  init(_ core: ConnectionCore) {
    handle = Handle(core: core)
  }

  /// Carries a connection over a transport of your own.
  ///
  /// - Parameters:
  ///   - transport: what moves the bytes; the connection owns it from here on and closes it.
  ///   - loop: where deadlines and queued output are served.
  ///   - peerAddress: who is at the other end, for errors and diagnostics.
  ///   - options: limits and watermarks.
  /// - Throws: `SocketError.invalid` for options that cannot work; `.loopStopped`.
  public convenience init(
    over transport: any Transport, on loop: EventLoop, peerAddress: SocketAddress? = nil,
    options: ConnectionOptions = ConnectionOptions()
  ) throws(SocketError) {
    try options.validate()
    try loop.core.checkIsRunning()
    self.init(
      ConnectionCore(
        endpoint: .custom(transport), loop: loop, peerAddress: peerAddress,
        settings: ConnectionSettings(options: options, localAddress: nil)))
    core.start()
  }

  deinit {
    core.abandon()
  }
}

// MARK: - What it is

extension Connection {
  /// The event loop that serves it.
  public var loop: EventLoop { core.loop }

  /// This end's address; `nil` for a transport that has none.
  public var localAddress: SocketAddress? { core.localAddress }

  /// The other end's address; `nil` when the peer had gone before it could be asked, or the transport has none.
  public var peerAddress: SocketAddress? { core.peerAddress }

  /// How the connection ended, once it did; the first cause stays.
  public var closeReason: CloseReason? { core.state.withLock { $0.closeReason } }

  /// Whether the server has begun to drain: what had arrived is still delivered, then the input ends. To wait for it:
  /// `untilDraining()`.
  public var isDraining: Bool { core.state.withLock { $0.isDraining } }

  /// How much has been moved so far.
  public var counters: Counters { core.state.withLock { $0.counters } }

  /// Bytes that a connection has moved. They never fall.
  public struct Counters: Hashable, Sendable {
    /// Taken from the transport.
    public let bytesRead: UInt64
    /// Accepted by sends.
    public let bytesAccepted: UInt64
    /// Taken by the kernel. What was accepted and is not among these is queued, or was lost with the connection.
    public let bytesWritten: UInt64
  }
}

// MARK: - Reading

extension Connection {
  /// The bytes that arrive, as a sequence of chunks that ends with the peer's stream.
  public var inbound: InboundChunks { InboundChunks(connection: self) }

  /// Reads what has arrived, waiting for the first byte.
  ///
  /// - Parameters:
  ///   - limit: the most bytes to return, at least 1; 64 KiB by default.
  ///   - deadline: when to give up.
  /// - Returns: between 1 and `limit` bytes; `nil` at the end of the stream.
  /// - Throws: `SocketError`; `.timedOut` and `CancellationError` have consumed nothing.
  public func read(atMost limit: Int = 65_536, deadline: Deadline = .never) async throws -> [UInt8]? {
    try await core.readChunk(atMost: limit, deadline: deadline)
  }

  /// Reads what has arrived into memory of the caller's, waiting for the first byte.
  ///
  /// - Parameters:
  ///   - buffer: filled from its start; it must not be empty.
  ///   - deadline: when to give up.
  /// - Returns: how many bytes were stored; 0 at the end of the stream.
  /// - Throws: as `read(atMost:deadline:)`.
  public func read(into buffer: inout MutableRawSpan, deadline: Deadline = .never) async throws -> Int {
    try await core.read(into: &buffer, deadline: deadline)
  }

  /// Goes on with a codec: frames in, frames out. The bytes that were received and not yet read come first.
  ///
  /// The framed connection takes this one's place; do not read from both.
  public func framed<F: Framing>(_ framing: F) -> FramedConnection<F> {
    FramedConnection(self, decoder: framing.makeDecoder(), encoder: framing.makeEncoder())
  }
}

// MARK: - Writing

extension Connection {
  /// Sends bytes: whole, or not at all.
  ///
  /// They go into the output buffer and reach the kernel no later than this task's next suspension. With 64 KiB
  /// queued (the high mark), the call waits its turn, first come first served; when the message itself fills the
  /// buffer, it returns once that has fallen to 32 KiB (the low mark).
  ///
  /// - Throws: `SocketError` of this connection, also one that an earlier send met after it had returned, and
  ///   `.finishedWriting` after `finishWriting()`;
  ///   `CancellationError` when cancelled before the bytes were accepted, in which case none is sent.
  @inlinable @inline(__always)
  public func send(_ bytes: [UInt8]) async throws {
    try await core.send { holdsTurn in try core.trySend(bytes, holdsTurn: holdsTurn) }
  }

  /// Sends text as UTF-8, as `send(_:)` sends bytes.
  public func send(_ text: String) async throws {
    try await send(Array(text.utf8))
  }

  /// Returns when the kernel has everything that was sent before.
  ///
  /// - Throws: the error that keeps it from getting there; `CancellationError`, and the bytes still go.
  public func flush() async throws { try await core.flush() }

  /// Ends the outgoing stream (half-close): flushes, then sends FIN. Reading goes on.
  ///
  /// - Throws: as `flush()`; `SocketError.closed` when the connection is closed already.
  public func finishWriting() async throws { try await core.finishWriting() }
}

// MARK: - Ending

extension Connection {
  /// Closes in good order: flushes for as long as that makes progress, sends FIN, and discards what still
  /// arrives until the peer ends its stream (at most 1 s and 256 KiB), so that the last bytes are not lost to a
  /// reset.
  ///
  /// Others who read or send are told `SocketError.closed`. In a task that is cancelled, it flushes all the same, and
  /// does not wait for the peer. Repeated calls return when the first is done. The limits are counted on the loop's
  /// clock: on a `ManualClock` that stands still, a peer that does not end its stream is waited for until the clock is
  /// moved, or the task cancelled.
  public func close() async { await core.close(flushLimit: nil, reason: nil, isCancellable: true) }

  /// Resets the connection at once and drops what is queued.
  public func abort() { core.abort() }

  /// Says whether the current task serves this connection and nobody but the caller cancels it: then its waits are
  /// not watched for cancellation one by one, and whoever cancels it calls `Handle.wakeOwner()`.
  package func setOwner(_ isOwner: Bool) { core.setOwner(isOwner) }

  /// Ends the connection as leaving its scope by an error does.
  package func close(after error: any Error) async { await close(after: error, isCancellable: true) }

  /// Ends the connection as leaving its scope does: in good order, or by an error, for which it flushes for at most a
  /// second; so it does from the moment at which a cancellation comes, if that counts.
  ///
  /// - Parameter isCancellable: whether a cancelled task waits for nothing longer than that. A server's does: it cancels its
  ///   handlers when it stops, and has a say of its own in how long they take (`Handle.stopLingering`).
  package func close(after error: (any Error)?, isCancellable: Bool) async {
    let reason = error.flatMap { hasEnded(by: $0) ? nil : CloseReason(leavingScopeBy: $0) }
    await core.close(
      flushLimit: error == nil ? nil : .seconds(1), cancelledFlushLimit: isCancellable ? .seconds(1) : nil,
      reason: reason, isCancellable: isCancellable)
  }

  /// Whether an error is this connection's own end, and not one that came from elsewhere through the handler.
  package func hasEnded(by error: any Error) -> Bool { core.hasEnded(by: error) }
}

extension Connection.Handle {
  package var peerAddress: SocketAddress? { core.peerAddress }
  package func beginDrain() { core.beginDrain() }
  package func wakeOwner() { core.wakeOwner() }
  package func stopLingering() { core.stopLingering() }
  package func abort() { core.abort() }

  /// What the connection is doing right now, or was when it ended.
  package var snapshot: Connection.Snapshot { core.snapshot() }

  /// How much has been moved so far, or in all.
  package var counters: Connection.Counters { core.state.withLock { $0.counters } }

  package var closeReason: CloseReason? { core.state.withLock { $0.closeReason } }

  /// Whether an error is this connection's own end.
  package func hasEnded(by error: any Error) -> Bool { core.hasEnded(by: error) }

  /// Tells the connections that are there from each other.
  package var id: ObjectIdentifier { ObjectIdentifier(core) }
}
