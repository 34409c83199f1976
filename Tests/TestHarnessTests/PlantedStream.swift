import AsyncSockets
import Synchronization
import TestHarness

/// One end of a stream with a bug between the connection and its user.
final class PlantedStream: StreamEnd {
  private struct State {
    var held: [UInt8] = []
    var losesNextByte = false
    var hasEnded = false
    var isDraining = false
    var sendsInFlight = 0
    var unsent: [UInt8] = []
    var hasFinished = false
    var isClosing = false
    var wasAborted = false
    var resetWasSeenBy: Direction?
    var left: Listener?
  }

  private enum Direction { case reader, writer }

  private let base: Connection
  private let transport: any Transport
  private let bug: StreamCheck
  private let state = Lock(State())
  /// Shared by both ends: whether the other one has been aborted.
  private let peerIsAborted: Flag

  init(_ base: Connection, over transport: any Transport, bug: StreamCheck, peerIsAborted: Flag) {
    self.base = base
    self.transport = transport
    self.bug = bug
    self.peerIsAborted = peerIsAborted
  }

  var counters: Connection.Counters { base.counters }
  var waits: [Connection.Wait] { base.waits }

  var closeReason: CloseReason? {
    bug == .oneReason && state.withLock { $0.wasAborted } ? .closed : base.closeReason
  }

  // MARK: Reading

  func read(atMost limit: Int, deadline: Deadline) async throws -> [UInt8]? {
    let (hasFinished, hasEnded, wasClosing) = state.withLock { ($0.hasFinished, $0.hasEnded, $0.isClosing) }
    let peerWasAborted = peerIsAborted.isSet
    let isPast = isPast(deadline)
    if bug == .halfClose, hasFinished { return nil }
    if bug == .endOfStream, hasEnded { throw SocketError.closed }
    do {
      let chunk = try await readOn(limit, deadline)
      if chunk == nil { state.withLock { $0.hasEnded = !$0.isDraining } }
      if bug == .dataBeforeReset, peerWasAborted { return try await readOn(limit, deadline) }
      if bug == .chunks, limit == 7 { return [] }
      return chunk
    } catch let error as SocketError where error.isReset {
      let first = seeReset(by: .reader)
      if bug == .resetWakes, !peerWasAborted { return nil }
      if bug == .resetLasts, first == .reader, hasSeenReset(twice: .reader) { return nil }
      if bug == .resetSeenByWriter, first == .writer { return nil }
      throw error
    } catch SocketError.closed where bug == .closeWakes && !wasClosing {
      return nil
    } catch {
      let isTimeOut = (error as? SocketError)?.isTimedOut == true && !isPast
      let losesByte = bug == .cancelledRead && error is CancellationError || bug == .timedOutRead && isTimeOut
      if losesByte { state.withLock { $0.losesNextByte = true } }
      throw error
    }
  }

  private func isPast(_ deadline: Deadline) -> Bool {
    switch deadline {
    case .never: false
    case .after(let duration): duration <= .zero
    case .at(let instant): instant <= base.loop.now
    }
  }

  private func readOn(_ limit: Int, _ deadline: Deadline) async throws -> [UInt8]? {
    var deadline = deadline
    switch bug {
    case .pullDriven:
      let held = state.withLock { state in
        defer { state.held.removeFirst(min(limit, state.held.count)) }
        return Array(state.held.prefix(limit))
      }
      if !held.isEmpty { return held }
      guard let chunk = try await base.read(atMost: 65_536, deadline: deadline) else { return nil }
      state.withLock { $0.held = Array(chunk.dropFirst(limit)) }
      return Array(chunk.prefix(limit))
    case .pastDeadline:
      if isPast(deadline) { deadline = .never }
      return try await base.read(atMost: limit, deadline: deadline)
    case .secondReader:
      while true {
        do {
          return try await base.read(atMost: limit, deadline: deadline)
        } catch SocketError.busy {
          await base.loop.nextTurn()
        }
      }
    case .cancelledRead, .timedOutRead:
      let chunk = try await base.read(atMost: limit, deadline: deadline)
      let losesByte = state.withLock { state in
        defer { state.losesNextByte = false }
        return state.losesNextByte
      }
      return losesByte ? chunk.map { Array($0.dropFirst()) } : chunk
    default: return try await base.read(atMost: limit, deadline: deadline)
    }
  }

  private func seeReset(by direction: Direction) -> Direction {
    state.withLock { state in
      if state.resetWasSeenBy == nil { state.resetWasSeenBy = direction }
      return state.resetWasSeenBy ?? direction
    }
  }

  private let resetsSeen = Atomic(0)

  private func hasSeenReset(twice direction: Direction) -> Bool {
    resetsSeen.wrappingAdd(1, ordering: .relaxed).newValue > 1
  }

  // MARK: Writing

  func send(_ bytes: [UInt8]) async throws {
    let (hasEnded, inFlight, unsent) = state.withLock { state in
      state.sendsInFlight += 1
      defer { state.unsent = [] }
      return (state.hasEnded, state.sendsInFlight, state.unsent)
    }
    defer { state.withLock { $0.sendsInFlight -= 1 } }
    if bug == .sendAfterEnd, hasEnded { throw SocketError.closed }
    if bug == .turns, base.waits.count(where: { $0 == .send }) == 2 {
      while base.waits.contains(.send) { await base.loop.nextTurn() }
    }
    do {
      if bug == .atomicSends, inFlight >= 3, bytes.count > 1000 {
        try await base.send(Array(bytes.prefix(500)))
        await base.loop.nextTurn()
        try await base.send(Array(bytes.dropFirst(500)))
      } else {
        try await base.send(unsent + bytes)
      }
    } catch is CancellationError where bug == .cancelledTurn {
      state.withLock { $0.unsent = bytes }
      throw CancellationError()
    } catch {
      if (error as? SocketError)?.isReset == true { _ = seeReset(by: .writer) }
      throw error
    }
    if bug == .cancelledAcceptance, Task.isCancelled { throw CancellationError() }
  }

  func send(contentsOf parts: [[UInt8]]) async throws {
    guard bug == .gatheredSends else { return try await base.send(contentsOf: parts) }
    for part in parts {
      try await base.send(part)
      await base.loop.nextTurn()
    }
  }

  func flush() async throws {
    let counters = counters
    let queued = counters.bytesAccepted - counters.bytesWritten
    if bug == .flush, queued > 1000, base.closeReason == nil { return }
    do {
      try await base.flush()
    } catch let error as SocketError where error.isReset {
      _ = seeReset(by: .writer)
      if bug == .lostOutput, counters.bytesAccepted > 50_000 { return }
      throw error
    }
  }

  func finishWriting() async throws {
    do {
      try await base.finishWriting()
      state.withLock { $0.hasFinished = true }
    } catch is CancellationError where bug == .endFollowsOutput {
      base.abort()
      throw CancellationError()
    }
  }

  func upgrade(_ wrap: (any Transport) throws -> any Transport) async throws { try await base.upgrade(wrap) }

  // MARK: Ending

  func beginDrain() {
    state.withLock { $0.isDraining = true }
    base.beginDrain()
  }

  func close() async {
    leaveSomething()
    let wasClosing = state.withLock { state in
      defer { state.isClosing = true }
      state.wasAborted = base.closeReason == .aborted
      return state.isClosing
    }
    let start = base.loop.now
    let counters = counters
    switch bug {
    case .closeDelivers where counters.bytesAccepted > counters.bytesWritten && transport.unreadBytes == 0:
      base.abort()
    case .closeDiscards where transport.unreadBytes > 0:
      try? await base.flush()
      base.abort()
    case .closeWaits where counters.bytesAccepted > 0:
      Task { [base] in await base.close() }
      while base.closeReason == nil { await base.loop.nextTurn() }
    case .closeIdempotent where wasClosing: break
    default: await base.close()
    }
    if bug == .closeLimit, start.duration(to: base.loop.now) >= .seconds(1) {
      while !Task.isCancelled { await base.loop.nextTurn() }
    }
  }

  func close(after error: any Error) async {
    if bug == .scopeError { await base.close() } else { await base.close(after: error) }
  }

  func abort() {
    leaveSomething()
    peerIsAborted.peer?.set()
    let isFirst = state.withLock { state in
      defer { state.isClosing = true }
      return !state.isClosing
    }
    let counters = counters
    if bug == .abort, isFirst, counters.bytesAccepted > counters.bytesWritten {
      Task { [base] in await base.close() }
    } else {
      base.abort()
    }
  }

  private func leaveSomething() {
    guard bug == .nothingLeft else { return }
    let listener = try? Listener.bind(to: .loopback(), on: base.loop)
    state.withLock { $0.left = listener }
  }

  /// Whether the other end has been aborted, as this one is told.
  final class Flag: Sendable {
    private let value = Atomic(false)
    /// The other end's.
    let peer: Flag?
    init(peer: Flag? = nil) { self.peer = peer }
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
  }
}

extension SocketError {
  fileprivate var isReset: Bool { if case .reset = self { true } else { false } }
  fileprivate var isTimedOut: Bool { if case .timedOut = self { true } else { false } }
}
