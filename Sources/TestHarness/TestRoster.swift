import AsyncSockets
import Framing

/// The clients of a test server: those that are there, the last that were, and what the test made of them.
final class TestRoster<F: Framing>: Sendable {
  /// How far the server's end has got.
  enum Phase: Comparable { case serving, ending, over }

  private struct State {
    var phase = Phase.serving
    var lastID = 0
    /// How many have been added.
    var count = 0
    var current: [Int: TestPeer<F>] = [:]
    /// Those whose script or handler has ended, and whose connections are about to.
    var closing: Set<Int> = []
    var last: [TestPeer<F>] = []
    var infos: [ClientInfo] = []
    var lastTaken = 0
    var failure: ExpectationFailure?
    var news = Latch()
  }

  private let state = Lock(State())

  var count: Int { state.withLock { $0.count } }
  var failure: ExpectationFailure? { state.withLock { $0.failure } }
  var phase: Phase { state.withLock { $0.phase } }

  /// Opens when a client comes, and when the end does.
  var news: Latch { state.withLock { $0.news } }

  /// In the order in which they came.
  var current: [TestPeer<F>] { state.withLock { $0.current.values.sorted { $0.id < $1.id } } }

  /// Changes whenever one of those that are there does something.
  var activity: PeerCore.Activity {
    current.map(\.core.activity).reduce(into: PeerCore.Activity()) { $0.add($1) }
  }

  func peer(_ id: Int) -> TestPeer<F>? {
    state.withLock { state in state.current[id] ?? state.last.last { $0.id == id } }
  }

  func info(of id: Int) -> ClientInfo? {
    if let peer = peer(id) { return peer.info }
    return state.withLock { state in state.infos.last { $0.id == id } }
  }

  func takeNext() -> TestPeer<F>? {
    state.withLock { state in
      let waiting = (state.last + Array(state.current.values)).filter { $0.id > state.lastTaken }
      guard let next = waiting.min(by: { $0.id < $1.id }) else { return nil }
      state.lastTaken = next.id
      return next
    }
  }

  // MARK: Coming and going

  /// The number of a client that has come.
  func nextID() -> Int {
    state.withLock { state in
      state.lastID += 1
      return state.lastID
    }
  }

  /// - Returns: whether it is welcome.
  func add(_ peer: TestPeer<F>) -> Bool {
    let (isWelcome, news) = state.withLock { state in
      state.current[peer.id] = peer
      state.count += 1
      defer { state.news = Latch() }
      return (state.phase < .over, state.news)
    }
    news.open()
    return isWelcome
  }

  /// - Returns: whether its connection may take its time to close.
  func beginClosing(_ peer: TestPeer<F>) -> Bool {
    state.withLock { state in
      guard state.phase == .serving else { return false }
      state.closing.insert(peer.id)
      return true
    }
  }

  func remove(_ peer: TestPeer<F>) {
    let info = peer.info
    state.withLock { state in
      state.current[peer.id] = nil
      state.closing.remove(peer.id)
      state.last.append(peer)
      if state.last.count > 64 { state.last.removeFirst() }
      state.infos.append(info)
      if state.infos.count > 8192 { state.infos.removeFirst(4096) }
    }
  }

  // MARK: The end

  /// Notes the first failure of the test, unless it has ended.
  ///
  /// - Returns: whether it was the first.
  func fail(_ error: ExpectationFailure) -> Bool {
    let news = state.withLock { state -> Latch? in
      guard state.phase < .over, state.failure == nil else { return nil }
      state.failure = error
      state.phase = .over
      return state.news
    }
    news?.open()
    return news != nil
  }

  /// - Returns: the clients whose connections are closing.
  func advance(to phase: Phase) -> [TestPeer<F>] {
    let (closing, news) = state.withLock { state in
      state.phase = max(state.phase, phase)
      return (state.closing.sorted().compactMap { state.current[$0] }, state.news)
    }
    news.open()
    return closing
  }
}
