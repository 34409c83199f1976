import AsyncSockets

/// Where a client puts what it has for others.
protocol Inbox<Element>: Sendable {
  associatedtype Element: Sendable

  /// One more will post, until it says `leave()`.
  func enter()
  /// The last one to leave ends the sequence, behind what lies there.
  func leave()
  func post(_ element: Element)
  /// Nobody will take anything any more.
  func close()
  /// Whether more may be caused to be posted; if not, `goOn` is called when it may.
  func hasRoom(_ goOn: @escaping @Sendable () -> Void) -> Bool
}

/// What is posted on a loop and taken by tasks anywhere, first come, first served.
final class Mailbox<Element: Sendable>: Inbox {
  private struct State {
    var elements = Fifo<Element>()
    var waiters = Fifo<CheckedContinuation<Element?, Never>>()
    var posters: [Poster] = []
    /// How many may still post.
    var producers = 0
    /// What is posted goes nowhere.
    var isClosed = false
  }

  /// Who is told when there is room again.
  private struct Poster {
    let goOn: @Sendable () -> Void
  }

  private let state = Lock(State())
  /// How many may lie here before posters are asked to wait.
  private let capacity: Int

  /// Told of each element that somebody has.
  private let onTake: (@Sendable (Element) -> Void)?

  init(capacity: Int, onTake: (@Sendable (Element) -> Void)? = nil) {
    self.capacity = capacity
    self.onTake = onTake
  }

  func enter() { state.withLock { $0.producers += 1 } }

  func leave() {
    let waiters = state.withLock { state in
      state.producers -= 1
      return state.producers == 0 ? state.waiters.removeAll() : []
    }
    for waiter in waiters { waiter.resume(returning: nil) }
  }

  func post(_ element: Element) {
    let waiter = state.withLock { state in
      let waiter = state.waiters.popFirst()
      if waiter == nil, !state.isClosed { state.elements.append(element) }
      return waiter
    }
    guard let waiter else { return }
    onTake?(element)
    waiter.resume(returning: element)
  }

  func close() {
    // Given back behind the lock: the elements are the user's, and the posters hold the client.
    _ = state.withLock { state in
      state.isClosed = true
      defer { state.posters = [] }
      return (state.elements.removeAll(), state.posters)
    }
  }

  func hasRoom(_ goOn: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      if state.elements.count < capacity { return true }
      state.posters.append(Poster(goOn: goOn))
      return false
    }
  }

  /// The next; `nil` when all have left and nothing lies here. Not cancellable: who is cancelled sees to it that the
  /// posters come to an end.
  func next() async -> Element? {
    await withCheckedContinuation { (continuation: CheckedContinuation<Element?, Never>) in
      var posters: [Poster] = []
      let answer = state.withLock { state -> Element?? in
        if let element = state.elements.popFirst() {
          if state.elements.count <= capacity / 2 { swap(&posters, &state.posters) }
          return .some(element)
        }
        if state.producers == 0 { return .some(nil) }
        state.waiters.append(continuation)
        return nil
      }
      for poster in posters { poster.goOn() }
      guard let answer else { return }
      if let element = answer { onTake?(element) }
      continuation.resume(returning: answer)
    }
  }
}
