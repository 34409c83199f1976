import AsyncSockets

/// How long a connection may take for what; `nil` is for ever.
///
/// One that has taken too long ends at once: what its peer has not taken yet has a second, unless it is `total` that is over,
/// and nobody waits for the peer's end.
public struct Timeouts: Hashable, Sendable {
  /// For looking up and connecting, all addresses of a host together; 10 s by default.
  public var connect: Duration? = .seconds(10)
  /// From the moment it is connected to the first byte of its peer. Off by default. As with `input`, it begins anew after a pause
  /// in which the connection was not read.
  public var firstByte: Duration?
  /// Without a byte of input, whatever is sent meanwhile: any byte counts, not only a whole frame. It does not run in a
  /// pause in which the connection is not read, by its handler or since its output is above the high mark, and begins
  /// anew after it. Off by default.
  public var input: Duration?
  /// For everything, from the beginning of the attempt to the end, a close in good order included: one that has output
  /// left, or is closing, is reset. Off by default.
  public var total: Duration?

  /// The defaults: 10 s to connect.
  public init(
    connect: Duration? = .seconds(10), firstByte: Duration? = nil, input: Duration? = nil,
    total: Duration? = nil
  ) {
    self.connect = connect
    self.firstByte = firstByte
    self.input = input
    self.total = total
  }

  /// Which of them.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// See `Timeouts.connect`.
    case connect
    /// See `Timeouts.firstByte`.
    case firstByte
    /// See `Timeouts.input`.
    case input
    /// See `Timeouts.total`.
    case total
  }

  /// - Throws: `SocketError.invalid`, which names the value and says what to change.
  func validate() throws(SocketError) {
    let all = [("connect", connect), ("firstByte", firstByte), ("input", input), ("total", total)]
    for (name, value) in all {
      if let value, value <= .zero {
        throw .invalid("timeouts.\(name) must be positive, not \(value.exactly); nil turns it off")
      }
    }
  }
}

extension Timeouts {
  /// When a connection began what; what has not begun is in the far future.
  struct Marks {
    // Small, since every connection has them.
    var began: EventLoop.Instant
    var connected = EventLoop.Instant.farFuture
    /// The last input, or the connect, or when it was last read again after a pause.
    var input = EventLoop.Instant.farFuture
    var hasInput = false
  }

  /// The time-out that comes first if nothing changes; `nil` when none is on.
  func next(after marks: Marks) -> (due: EventLoop.Instant, kind: Kind)? {
    var first: (due: EventLoop.Instant, kind: Kind)?
    func consider(_ limit: Duration?, since begin: EventLoop.Instant, _ kind: Kind) {
      guard let limit, begin != .farFuture else { return }
      let due = begin.advanced(by: limit)
      if first.map({ due < $0.due }) ?? true { first = (due, kind) }
    }
    if marks.connected == .farFuture { consider(connect, since: marks.began, .connect) }
    if !marks.hasInput { consider(firstByte, since: marks.input, .firstByte) }
    consider(input, since: marks.input, .input)
    consider(total, since: marks.began, .total)
    return first
  }
}

extension EventLoop.Instant {
  /// Later than all that comes.
  static var farFuture: EventLoop.Instant { EventLoop.Instant(nanoseconds: .max) }
}
