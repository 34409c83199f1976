/// Whether a session has a connection to send on, and what waits until it has. Pure.
struct SessionGate<Link, Frame> {
  /// What somebody who wants to send is to do.
  enum Step {
    /// Send on this; it counts as the connection of that number.
    case send(on: Link, number: Int)
    /// The frame is queued: done.
    case queued
    /// It would be queued: ask again with its size.
    case measure
    /// Ask again when something has changed.
    case wait
    case fail(Failure)
  }

  enum Failure {
    case disconnected
    case queueFull(bytes: Int)
    case ended(TCPClient.Ending)
  }

  private enum Phase {
    case down
    /// What was queued goes first.
    case sendingQueue(Link)
    case up(Link)
    case ended(TCPClient.Ending)
  }

  private let policy: TCPClient.GapPolicy
  private var isRunning = false
  private var phase = Phase.down
  /// Counts the connections.
  private var number = 0
  private var queue: [(frame: Frame, size: Int)] = []
  /// Those before them, the oldest last, so that taking one moves no others.
  private var older: [(frame: Frame, size: Int)] = []
  private(set) var queuedBytes = 0

  init(_ policy: TCPClient.GapPolicy) { self.policy = policy }

  var isUp: Bool { if case .up = phase { true } else { false } }

  // MARK: What becomes of the connections

  mutating func begin() {
    isRunning = true
    if case .ended = phase { phase = .down }
  }

  /// Somebody could not begin a run. That ends nothing that another one has begun, and else leaves nobody waiting.
  mutating func refuse(_ error: any Error) {
    if case .ended = phase { return }
    if !isRunning { phase = .ended(.failed(error)) }
  }

  mutating func connected(_ link: Link) -> Int {
    number += 1
    phase = isQueueEmpty ? .up(link) : .sendingQueue(link)
    return number
  }

  /// The connection can't be sent on any more, if it is still that of this number.
  mutating func disconnected(_ number: Int? = nil) {
    if let number, number != self.number { return }
    switch phase {
    case .sendingQueue, .up: phase = .down
    case .down, .ended: break
    }
  }

  mutating func end(_ ending: TCPClient.Ending) {
    isRunning = false
    phase = .ended(ending)
  }

  // MARK: Sending

  /// What to do with a request, which can't wait in the queue.
  func request() -> Step {
    switch phase {
    case .up(let link): .send(on: link, number: number)
    case .ended(let ending): .fail(.ended(ending))
    case .down: policy == .fail ? .fail(.disconnected) : .wait
    case .sendingQueue: .wait
    }
  }

  /// What to do with a frame.
  ///
  /// - Parameter size: how many bytes it is, as far as that is known.
  mutating func send(_ frame: Frame, size: Int?) -> Step {
    let step = request()
    guard case .wait = step, case .queue(let limit) = policy else { return step }
    guard let size else { return .measure }
    if enqueue(frame, size, limit) { return .queued }
    // With a connection, what does not fit waits instead, unless it never would.
    if case .sendingQueue = phase, size <= limit { return .wait }
    return .fail(.queueFull(bytes: queuedBytes))
  }

  private mutating func enqueue(_ frame: Frame, _ size: Int, _ limit: Int) -> Bool {
    // Frames without bytes take memory, too.
    let size = max(1, size)
    guard size <= limit - queuedBytes else { return false }
    queue.append((frame, size))
    queuedBytes += size
    return true
  }

  // MARK: The queue

  private var isQueueEmpty: Bool { queue.isEmpty && older.isEmpty }

  /// What waits, the oldest first.
  var queued: [Frame] { older.reversed().map(\.frame) + queue.map(\.frame) }

  /// The next of the queue, to be sent on the connection of that number; `nil` if there is none, or if the connection is
  /// another by now. It stays in the queue.
  mutating func nextQueued(on number: Int) -> Frame? {
    guard number == self.number, case .sendingQueue(let link) = phase else { return nil }
    if older.isEmpty {
      older = queue.reversed()
      queue = []
    }
    if let next = older.last { return next.frame }
    phase = .up(link)
    return nil
  }

  /// The first of the queue has been sent, or never can be.
  mutating func removeFirstQueued() {
    if let first = older.popLast() { queuedBytes -= first.size }
  }
}
