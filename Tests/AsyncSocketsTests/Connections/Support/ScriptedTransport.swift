import AsyncSockets

/// A transport in memory that answers as a test says, and writes down what it was asked.
final class ScriptedTransport: Transport {
  /// An answer to one call, used up by it; a call without one finds nothing to read, or room to write.
  enum Step: Sendable {
    case bytes([UInt8])
    /// Takes that many bytes of a write.
    case room(Int)
    case wouldBlock(TransportReadiness)
    case end
    case failed(Errno)
  }

  struct Record: Sendable {
    var reads = 0
    var writes = 0
    var written: [UInt8] = []
    var shutdowns = 0
    /// How it was closed: abortively or not.
    var closes: [Bool] = []
    /// Calls that came while another was under way, or after the close.
    var illegalCalls = 0
  }

  private struct State {
    var input: [Step] = []
    var inputForEver: [UInt8]?
    var output: [Step] = []
    var shutdowns: [TransportResult] = []
    var isBlocked = false
    var record = Record()
    var isInCall = false
    var notify: (@Sendable (TransportReadiness) -> Void)?
  }

  private let state = Lock(State())

  /// - Parameters:
  ///   - input: answers to reads, in order.
  ///   - output: answers to writes, in order.
  ///   - shutdowns: answers to `shutdownWrite`, in order; done after that.
  ///   - inputForEver: what each read finds that has no other answer.
  init(
    input: [Step] = [], output: [Step] = [], shutdowns: [TransportResult] = [], inputForEver: [UInt8]? = nil
  ) {
    state.withLock {
      $0.input = input
      $0.output = output
      $0.shutdowns = shutdowns
      $0.inputForEver = inputForEver
    }
  }

  var record: Record { state.withLock { $0.record } }

  /// Adds to what reads will find, and tells of it.
  func arrive(_ steps: Step..., announcing readiness: TransportReadiness? = .read) {
    state.withLock { $0.input += steps }
    if let readiness { announce(readiness) }
  }

  /// Makes every write block, until `unblock`.
  func block() { state.withLock { $0.isBlocked = true } }

  /// Lets writes through again: all of them, or as many bytes as there is room for.
  func unblock(room: Int? = nil) {
    state.withLock { state in
      state.isBlocked = room != nil
      if let room { state.output.append(.room(room)) }
    }
    announce(.write)
  }

  func announce(_ readiness: TransportReadiness) {
    state.withLock { $0.notify }?(readiness)
  }

  // MARK: Transport

  func read(into buffer: inout MutableRawSpan) -> TransportResult {
    let step = begin { state -> Step in
      state.record.reads += 1
      guard let step = state.input.first else {
        return state.inputForEver.map { .bytes($0) } ?? .wouldBlock(.read)
      }
      state.input.removeFirst()
      if case .bytes(let bytes) = step, bytes.count > buffer.byteCount {
        state.input.insert(.bytes(Array(bytes[buffer.byteCount...])), at: 0)
      }
      return step
    }
    defer { end() }
    switch step {
    case .bytes(let bytes):
      let count = min(bytes.count, buffer.byteCount)
      for index in 0..<count { buffer.storeBytes(of: bytes[index], toByteOffset: index, as: UInt8.self) }
      return .bytes(count)
    case .room, .end: return .end
    case .wouldBlock(let readiness): return .wouldBlock(readiness)
    case .failed(let errno): return .failed(errno)
    }
  }

  func write(_ bytes: RawSpan) -> TransportResult {
    defer { end() }
    return begin { state in
      state.record.writes += 1
      var room = bytes.byteCount
      if let step = state.output.first {
        state.output.removeFirst()
        switch step {
        case .room(let count): room = min(room, count)
        case .wouldBlock(let readiness): return .wouldBlock(readiness)
        case .failed(let errno): return .failed(errno)
        case .end, .bytes: return .end
        }
      } else if state.isBlocked {
        return .wouldBlock(.write)
      }
      for index in 0..<room {
        state.record.written.append(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
      }
      return .bytes(room)
    }
  }

  func shutdownWrite() -> TransportResult {
    defer { end() }
    return begin { state in
      state.record.shutdowns += 1
      return state.shutdowns.isEmpty ? .bytes(0) : state.shutdowns.removeFirst()
    }
  }

  func close(abortively: Bool) {
    begin { $0.record.closes.append(abortively) }
    state.withLock { state in
      state.isInCall = false
      state.notify = nil
    }
  }

  var unreadBytes: Int {
    state.withLock { state in
      state.input.reduce(0) { sum, step in if case .bytes(let bytes) = step { sum + bytes.count } else { sum }
      }
    }
  }

  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    state.withLock { $0.notify = notify }
  }

  private func begin<Result>(_ body: (inout State) -> Result) -> Result {
    state.withLock { state in
      if state.isInCall || !state.record.closes.isEmpty { state.record.illegalCalls += 1 }
      state.isInCall = true
      return body(&state)
    }
  }

  private func end() { state.withLock { $0.isInCall = false } }
}
