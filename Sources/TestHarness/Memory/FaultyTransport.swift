import AsyncSockets

/// Another transport, made difficult: short reads and writes, calls that would block and then would not, news without a
/// cause.
///
/// It goes around any transport, and around the sockets of a connection by an upgrade:
///
/// ```swift
/// try await connection.upgrade { FaultyTransport(over: $0, TransportFaults(seed: 7)) }
/// ```
public final class FaultyTransport: Transport {
  private struct State {
    var numbers: SeededRandom
    /// How many bytes were said to be there without waiting.
    var promised = 0
    var notify: (@Sendable (TransportReadiness) -> Void)?
  }

  /// What happens to a call.
  private enum Fate {
    case block(TransportReadiness)
    case move(atMost: Int)
  }

  private let lower: any Transport
  private let faults: TransportFaults
  private let state: Lock<State>

  /// Goes around `lower`, and closes it when it is closed itself.
  public init(over lower: any Transport, _ faults: TransportFaults) {
    self.lower = lower
    self.faults = faults
    state = Lock(State(numbers: SeededRandom(seed: faults.seed)))
  }

  /// Takes a part of what has arrived.
  public func read(into buffer: inout MutableRawSpan) -> TransportResult {
    switch fate(of: buffer.byteCount, in: .read) {
    case .block(let direction): return block(direction)
    case .move(let most):
      return note(
        unsafe buffer.withUnsafeMutableBytes { bytes in
          var part = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(most)).mutableBytes
          return lower.read(into: &part)
        })
    }
  }

  /// Sends a part of what it could.
  public func write(_ bytes: RawSpan) -> TransportResult {
    switch fate(of: bytes.byteCount, in: .write) {
    case .block(let direction): block(direction)
    case .move(let most): note(lower.write(bytes.extracting(first: most)))
    }
  }

  /// Ends the outgoing stream, sooner or later.
  public func shutdownWrite() -> TransportResult {
    if case .block(let direction) = fate(of: 1, in: .write) { return block(direction) }
    return lower.shutdownWrite()
  }

  /// Closes the transport below.
  public func close(abortively: Bool) {
    state.withLock { $0.notify = nil }
    lower.close(abortively: abortively)
  }

  /// What the transport below says; so much is read without waiting.
  public var unreadBytes: Int {
    let count = lower.unreadBytes
    state.withLock { $0.promised = count }
    return count
  }

  /// Tells this one what the transport below tells, and more.
  public func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    state.withLock { $0.notify = notify }
    lower.notifyReadiness(notify)
  }

  private func fate(of size: Int, in direction: TransportReadiness) -> Fate {
    state.withLock { state in
      let mayBlock = direction == .write || state.promised == 0
      if mayBlock, let interval = faults.blockingInterval, state.numbers.next(below: interval) == 0 {
        // A read may wait for a write, as in TLS.
        let isCrossed = direction == .read && state.numbers.next(below: 4) == 0
        return .block(isCrossed ? .write : direction)
      }
      var most = size
      if let largest = faults.largestPiece, size > 1 {
        let isTiny = state.numbers.next(below: 2) == 0
        most = isTiny ? 1 : 1 + state.numbers.next(below: min(size, largest))
      }
      if direction == .read { state.promised = max(0, state.promised - most) }
      return .move(atMost: most)
    }
  }

  private func block(_ direction: TransportReadiness) -> TransportResult {
    tell(direction)
    return .wouldBlock(direction)
  }

  private func note(_ result: TransportResult) -> TransportResult {
    let isSpurious = state.withLock { state in
      guard let interval = faults.spuriousInterval else { return false }
      return state.numbers.next(below: interval) == 0
    }
    if isSpurious { tell([.read, .write]) }
    return result
  }

  /// In the loop's next turn: the connection is in the middle of a call.
  private func tell(_ readiness: TransportReadiness) {
    state.withLock { $0.notify }?(readiness)
  }
}

extension SeededRandom {
  /// From 0 to `limit` - 1.
  fileprivate mutating func next(below limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }
}
