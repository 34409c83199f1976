/// The look-ups that wait for a thread, and how many threads there are: each takes one look-up after another, and ends
/// when none is left. Pure.
struct LookupQueue<Job: AnyObject> {
  enum Admission: Equatable {
    /// It waits, and one thread more is to be started.
    case startThread
    case waits
    /// Too many wait already.
    case full
  }

  let threadLimit: Int
  let capacity: Int
  private(set) var threads = 0
  private(set) var waiting: [Job] = []

  init(threadLimit: Int, capacity: Int) {
    self.threadLimit = threadLimit
    self.capacity = capacity
  }

  mutating func add(_ job: Job) -> Admission {
    guard waiting.count < capacity else { return .full }
    waiting.append(job)
    guard threads < threadLimit else { return .waits }
    threads += 1
    return .startThread
  }

  /// The next for a thread, which ends if there is none.
  mutating func next() -> Job? {
    if waiting.isEmpty {
      threads -= 1
      return nil
    }
    return waiting.removeFirst()
  }

  /// Nobody wants the answer any more. One that a thread has begun stays with that thread.
  mutating func remove(_ job: Job) {
    waiting.removeAll { $0 === job }
  }

  /// A thread could not be started. Answers those who would wait for ever, which is nobody while another thread lives.
  mutating func threadFailed() -> [Job] {
    threads -= 1
    guard threads == 0 else { return [] }
    defer { waiting = [] }
    return waiting
  }
}
