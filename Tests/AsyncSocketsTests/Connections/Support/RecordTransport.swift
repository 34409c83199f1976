import AsyncSockets

/// What TLS is to a connection, without the cryptography: a handshake in both directions, then records that stand for
/// nothing by themselves, and a goodbye.
///
/// Each side says hello and sends nothing more before it has heard the other's. A record is its kind, two bytes of
/// length, and a content whose bytes are disguised.
final class RecordTransport: Transport {
  private static let largestRecord = 1000
  private static let mask: UInt8 = 0x5A
  private static let hello: [UInt8] = [22, 0, 0]
  private static let goodbye: [UInt8] = [21, 0, 0]

  private struct State {
    /// Of what is under way to the peer; a record leaves whole before the next begins.
    var outgoing = RecordTransport.hello[...]
    /// How many bytes of the caller's the record under way stands for.
    var pledged = 0
    var hasSaidGoodbye = false
    var received: [UInt8] = []
    var plain: [UInt8] = []
    var isOpen = false
    var hasHeardGoodbye = false
  }

  private let lower: any Transport
  private let state = Lock(State())

  init(over lower: any Transport) { self.lower = lower }

  func read(into buffer: inout MutableRawSpan) -> TransportResult {
    let size = buffer.byteCount
    let (bytes, result) = state.withLock { state -> ([UInt8], TransportResult) in
      while state.plain.isEmpty, !state.hasHeardGoodbye {
        if case .wouldBlock(let direction) = flush(&state), !state.isOpen {
          return ([], .wouldBlock(direction))
        }
        if let result = receive(&state) { return ([], result) }
      }
      let bytes = Array(state.plain.prefix(size))
      state.plain.removeFirst(bytes.count)
      return (bytes, bytes.isEmpty ? .end : .bytes(bytes.count))
    }
    for (index, byte) in bytes.enumerated() {
      buffer.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    return result
  }

  func write(_ bytes: RawSpan) -> TransportResult {
    state.withLock { state in
      if let obstacle = flush(&state) { return obstacle }
      if state.pledged == 0 {
        while !state.isOpen {
          if let result = receive(&state) { return result }
        }
        let count = min(bytes.byteCount, Self.largestRecord)
        let content = (0..<count).map { bytes.byte(at: $0) ^ Self.mask }
        state.outgoing = ([23, UInt8(count >> 8), UInt8(count & 255)] + content)[...]
        state.pledged = count
        if let obstacle = flush(&state) { return obstacle }
      }
      defer { state.pledged = 0 }
      return .bytes(state.pledged)
    }
  }

  func shutdownWrite() -> TransportResult {
    state.withLock { state in
      if let obstacle = flush(&state) { return obstacle }
      if !state.hasSaidGoodbye {
        state.hasSaidGoodbye = true
        state.outgoing = Self.goodbye[...]
        if let obstacle = flush(&state) { return obstacle }
      }
      return lower.shutdownWrite()
    }
  }

  func close(abortively: Bool) { lower.close(abortively: abortively) }

  var unreadBytes: Int { state.withLock { $0.plain.count } + lower.unreadBytes }

  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    lower.notifyReadiness(notify)
  }

  /// Sends what is under way; `nil` when all of it has left.
  private func flush(_ state: inout State) -> TransportResult? {
    while !state.outgoing.isEmpty {
      let result = unsafe lower.write(state.outgoing.span.bytes)
      guard case .bytes(let count) = result, count > 0 else {
        return result == .bytes(0) ? .wouldBlock(.write) : result
      }
      state.outgoing = state.outgoing.dropFirst(count)
    }
    return nil
  }

  /// Takes one record; `nil` when it did, or has more to parse.
  private func receive(_ state: inout State) -> TransportResult? {
    if parse(&state) { return nil }
    var memory = [UInt8](repeating: 0, count: 700)
    var span = memory.mutableSpan
    var bytes = unsafe span.mutableBytes
    switch lower.read(into: &bytes) {
    case .bytes(let count):
      state.received += memory.prefix(count)
      return nil
    case .end: return .truncated
    case let other: return other
    }
  }

  private func parse(_ state: inout State) -> Bool {
    guard state.received.count >= 3 else { return false }
    let count = Int(state.received[1]) << 8 | Int(state.received[2])
    guard state.received.count >= 3 + count else { return false }
    let content = state.received[3..<(3 + count)].map { $0 ^ Self.mask }
    switch state.received[0] {
    case 22: state.isOpen = true
    case 23: state.plain += content
    default: state.hasHeardGoodbye = true
    }
    state.received.removeFirst(3 + count)
    return true
  }
}

extension RawSpan {
  fileprivate func byte(at index: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}
