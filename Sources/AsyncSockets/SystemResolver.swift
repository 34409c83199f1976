/// The resolver of the system, getaddrinfo(3): `/etc/hosts`, DNS and whatever `nsswitch.conf` names.
///
/// The call blocks, so it runs on threads of its own, at most eight, which are started on demand and end when nothing
/// waits: neither an event loop nor the cooperative pool is ever held up. A cancelled look-up returns at once; its
/// thread stays in the call until the system gives up, and the answer is dropped.
public final class SystemResolver: Resolver {
  typealias Answer = Result<[SocketAddress], SocketError>

  /// The one that is used unless the environment names another.
  public static let shared = SystemResolver()

  private static let threadLimit = 8
  /// Far more than anybody needs, and little memory.
  private static let capacity = 4096
  /// RFC 1035 §2.3.4, as text.
  private static let longestName = 253

  private let queue: Lock<LookupQueue<Lookup>>
  private let lookUp: @Sendable (String) -> Answer

  /// - Parameter lookUp: the call that blocks.
  init(
    threadLimit: Int = threadLimit, capacity: Int = capacity,
    lookUp: @escaping @Sendable (String) -> Answer = NameLookup.addresses
  ) {
    queue = Lock(LookupQueue(threadLimit: threadLimit, capacity: capacity))
    self.lookUp = lookUp
  }

  var threadCount: Int { queue.withLock { $0.threads } }
  var waitingCount: Int { queue.withLock { $0.waiting.count } }

  /// The addresses of a host in the system's order of preference (RFC 6724).
  ///
  /// - Throws: `SocketError.unresolved` with the system's reason; `.invalid` for what can be no name;
  ///   `CancellationError` at once.
  public func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] {
    guard !host.isEmpty else { throw SocketError.invalid("the host name is empty") }
    guard !host.utf8.contains(0), host.utf8.count <= Self.longestName else {
      throw SocketError.invalid(
        "\(host.prefix(Self.longestName).debugDescription) is no host name: a name has at most "
          + "\(Self.longestName) bytes, none of them zero")
    }
    try Task.checkCancellation()
    let lookup = Lookup(host: host)
    try enqueue(lookup)
    _ = await suspendWatched {
      lookup.wait($0)
    } onCancel: {
      queue.withLock { $0.remove(lookup) }
      lookup.cancel()
    }
    guard let answer = lookup.answer else { throw CancellationError() }
    return try answer.get().map { $0.withPort(port) }
  }

  private func enqueue(_ lookup: Lookup) throws(SocketError) {
    switch queue.withLock({ $0.add(lookup) }) {
    case .waits: return
    case .full:
      throw .unresolved(host: lookup.host, reason: "too many look-ups wait already")
    case .startThread:
      guard let errno = DetachedThread.start({ self.serve() }) else { return }
      let error = SocketError.failed(errno, call: "pthread_create", address: nil)
      for lookup in queue.withLock({ $0.threadFailed() }) { lookup.finish(.failure(error)) }
    }
  }

  private func serve() {
    while let lookup = queue.withLock({ $0.next() }) {
      lookup.finish(lookUp(lookup.host))
    }
  }
}

/// One look-up and whoever waits for it.
private final class Lookup: Sendable {
  private struct State {
    var answer: SystemResolver.Answer?
    var waiter: WakeContinuation?
    var isCancelled = false
  }

  let host: String
  private let state = Lock(State())

  init(host: String) { self.host = host }

  /// `nil` when it was cancelled first.
  var answer: SystemResolver.Answer? { state.withLock { $0.isCancelled ? nil : $0.answer } }

  func wait(_ continuation: WakeContinuation) {
    let isOver = state.withLock { state -> Bool in
      if state.answer != nil || state.isCancelled { return true }
      state.waiter = continuation
      return false
    }
    if isOver { continuation.resume() }
  }

  func finish(_ answer: SystemResolver.Answer) {
    end { $0.answer = answer }
  }

  func cancel() {
    end { state in
      if state.answer == nil { state.isCancelled = true }
    }
  }

  private func end(_ change: (inout State) -> Void) {
    let waiter = state.withLock { state in
      change(&state)
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }
}
