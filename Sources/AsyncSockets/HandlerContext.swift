public import Framing
import Synchronization

/// The connection as its `ConnectionHandler` sees it, for the time of one callback.
///
/// It can't be kept: what reaches the connection from elsewhere is a `HandlerReference`.
@safe
public struct HandlerContext<Codec: Framing>: ~Copyable {
  /// Not counted: whoever calls back holds it, and the context does not outlive the call.
  @usableFromInline let reference: Unmanaged<CodecDriver<Codec>>

  @inlinable @inline(__always)
  init(_ driver: CodecDriver<Codec>) { unsafe reference = .passUnretained(driver) }

  var driver: CodecDriver<Codec> { unsafe reference._withUnsafeGuaranteedRef { $0 } }

  // MARK: Sending

  /// Sends one frame: whole, or not at all. It never waits; the bytes leave when the callback has returned.
  ///
  /// Above the high mark of the output (64 KiB by default) the connection is not read until the peer has taken enough for
  /// the low mark, which `writable` tells. So who answers what arrives needs no care; who sends more on its own asks
  /// `canSend`.
  ///
  /// - Throws: `SocketError.outputFull` when the output stands above the high mark already, and the connection's own error,
  ///   `.closed` and `.finishedWriting`; `FramingError` when the frame can't be encoded. Nothing is sent then.
  @inlinable @inline(__always)
  public func send(_ frame: Codec.Encoder.Frame) throws {
    try unsafe reference._withUnsafeGuaranteedRef { try $0.send(frame) }
  }

  /// Whether a send would be accepted: the output is below its high mark. `writable` follows a `false`, unless the
  /// connection ends.
  public var canSend: Bool { driver.canSend }

  /// Ends the outgoing stream (half-close) behind what is queued. Reading goes on.
  ///
  /// - Throws: the connection's own error.
  public func finishWriting() throws { try driver.finishWriting() }

  // MARK: Reading

  /// Whether frames are delivered; `true` at first. While it is `false` nothing is read, and the peer is slowed down. The
  /// frames that had arrived before wait with the rest.
  public var isReading: Bool {
    get { !driver.isPaused }
    nonmutating set { driver.isPaused = !newValue }
  }

  /// Goes on with another codec in both directions, from the next frame on. What has arrived and has not been delivered
  /// goes to it verbatim.
  public func switchCodec(to codec: Codec) { driver.switchCodec(to: codec) }

  /// When `timedOut` is to be called unless the deadline is changed before: `.never` at first and after the call. To put it
  /// off costs next to nothing, so it may be set again with each frame.
  public func setDeadline(_ deadline: Deadline) { driver.setDeadline(deadline) }

  // MARK: Ending

  /// Closes in good order once the callback has returned, as `Connection.close()` does. The only callback that follows
  /// is `closed`.
  @inlinable
  public func close() { close(reason: nil) }

  /// Resets the connection once the callback has returned, and drops what is queued. The only callback that follows is
  /// `closed`.
  public func abort() { driver.ending = .abort }

  @usableFromInline
  func close(reason: CloseReason?) { if driver.ending == nil { driver.ending = .close(reason) } }

  // MARK: What it is

  /// The other end's address; see `Connection.peerAddress`.
  public var peerAddress: SocketAddress? { driver.core.peerAddress }

  /// This end's address; see `Connection.localAddress`.
  public var localAddress: SocketAddress? { driver.core.localAddress }

  /// The event loop that calls; see `Connection.loop`.
  public var loop: EventLoop { driver.core.loop }

  /// How much has been moved so far; see `Connection.counters`.
  public var counters: Connection.Counters { driver.counters }

  /// Whether the server has begun to drain; see `Connection.isDraining`.
  public var isDraining: Bool { driver.core.state.withLock { $0.isDraining } }

  /// What reaches this handler from elsewhere.
  ///
  /// - Parameter handler: `self`, for its type.
  public func reference<Handler: ConnectionHandler>(to handler: Handler) -> HandlerReference<Handler>
  where Handler.Codec == Codec {
    HandlerReference(driver: driver as? HandlerDriver<Handler>)
  }
}

extension HandlerContext where Codec == RawFraming {
  /// Sends bytes; see the general form.
  @inlinable @inline(__always)
  public func send(_ bytes: [UInt8]) throws {
    try unsafe reference._withUnsafeGuaranteedRef { try $0.send(bytes) }
  }

  /// Sends bytes that are lent, such as those that a `ByteHandler` has received; see the general form.
  @inlinable @inline(__always)
  public func send(_ bytes: RawSpan) throws {
    try unsafe reference._withUnsafeGuaranteedRef { try $0.send(bytes) }
  }
}
