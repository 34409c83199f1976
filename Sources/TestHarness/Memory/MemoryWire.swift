import AsyncSockets
import Glibc

/// What two transports in memory share: a stream in either direction, and how each end has ended.
final class MemoryWire: Sendable {
  enum Side {
    case first, second
    var other: Side { self == .first ? .second : .first }
  }

  private struct End {
    /// What has arrived here.
    var incoming = MemoryStream()
    /// The peer has ended its stream.
    var peerHasEnded = false
    var hasShutDown = false
    var isClosed = false
    var reset = Reset.none
    /// Which calls would have blocked since the last news.
    var awaits: TransportReadiness = []
    var notify: (@Sendable (TransportReadiness) -> Void)?
  }

  private enum Reset {
    case none
    /// The next call is told, as by a kernel, and no other.
    case pending
    case told
  }

  private struct State {
    var first = End()
    var second = End()
    /// How many bytes may still pass; `nil` for any number.
    var allowance: Int?

    subscript(side: Side) -> End {
      get { side == .first ? first : second }
      _modify {
        if side == .first { yield &first } else { yield &second }
      }
    }
  }

  /// News for one end, told when the lock is free: whoever hears it may call back.
  private typealias News = (notify: (@Sendable (TransportReadiness) -> Void)?, what: TransportReadiness)

  private let capacity: Int
  private let state: Lock<State>

  init(capacity: Int, resetAfter limit: Int?) {
    self.capacity = capacity
    state = Lock(State(allowance: limit.map { max(0, $0) }))
  }

  func read(at side: Side, into buffer: inout MutableRawSpan) -> TransportResult {
    var news: News?
    defer { Self.tell(news) }
    return state.withLock { state in
      let count = state[side].incoming.take(into: &buffer)
      if count > 0 {
        news = Self.news(.write, to: side.other, &state)
        return .bytes(count)
      }
      if state[side].reset == .pending {
        state[side].reset = .told
        return .failed(.connectionReset)
      }
      if state[side].peerHasEnded || state[side].reset == .told || state[side].isClosed { return .end }
      state[side].awaits.insert(.read)
      return .wouldBlock(.read)
    }
  }

  func write(at side: Side, _ bytes: RawSpan) -> TransportResult {
    var news: [News] = []
    defer { news.forEach(Self.tell) }
    return state.withLock { state in
      if state.allowance == 0 { news = Self.resetBoth(&state) }
      if state[side].reset == .pending {
        state[side].reset = .told
        return .failed(.connectionReset)
      }
      let isBroken =
        state[side].hasShutDown || state[side].isClosed || state[side].reset == .told
        || state[side.other].isClosed
      if isBroken { return .failed(.brokenPipe) }
      let room = min(capacity - state[side.other].incoming.count, state.allowance ?? .max)
      let count = min(bytes.byteCount, room)
      guard count > 0 else {
        state[side].awaits.insert(.write)
        return .wouldBlock(.write)
      }
      state[side.other].incoming.append(bytes, count: count)
      if let heard = Self.news(.read, to: side.other, &state) { news.append(heard) }
      if let allowance = state.allowance {
        state.allowance = allowance - count
        if allowance == count { news += Self.resetBoth(&state) }
      }
      return .bytes(count)
    }
  }

  func shutdownWrite(at side: Side) -> TransportResult {
    var news: News?
    defer { Self.tell(news) }
    return state.withLock { state in
      state[side].hasShutDown = true
      state[side.other].peerHasEnded = true
      news = Self.news(.read, to: side.other, &state)
      return .bytes(0)
    }
  }

  func close(_ side: Side, abortively: Bool) {
    var news: News?
    defer { Self.tell(news) }
    state.withLock { state in
      guard !state[side].isClosed else { return }
      let isReset = abortively || state[side].incoming.count > 0
      state[side].isClosed = true
      state[side].incoming = MemoryStream()
      state[side].notify = nil
      state[side.other].peerHasEnded = true
      if isReset, state[side.other].reset == .none, !state[side.other].isClosed {
        state[side.other].reset = .pending
      }
      news = (state[side.other].notify, [.read, .write, .final])
    }
  }

  func unreadBytes(at side: Side) -> Int { state.withLock { $0[side].incoming.count } }

  func notifyReadiness(at side: Side, _ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    state.withLock { $0[side].notify = notify }
  }

  private static func resetBoth(_ state: inout State) -> [News] {
    state.allowance = nil
    return [.first, .second].map { (side: Side) -> News in
      state[side].reset = .pending
      return (state[side].notify, [.read, .write, .final])
    }
  }

  /// For an end whose call would have blocked.
  private static func news(_ what: TransportReadiness, to side: Side, _ state: inout State) -> News? {
    guard state[side].awaits.contains(what) else { return nil }
    state[side].awaits.remove(what)
    return (state[side].notify, what)
  }

  private static func tell(_ news: News?) {
    if let news { news.notify?(news.what) }
  }
}

extension Errno {
  static let connectionReset = Errno(rawValue: ECONNRESET)
  static let brokenPipe = Errno(rawValue: EPIPE)
}
