/// The latest messages for a receiver that is slow, up to a limit. Pure.
struct MessageBacklog {
  let limit: Int
  /// From `first` on; those before it have been taken or dropped.
  private var messages: [[UInt8]] = []
  private var first = 0
  /// Whether messages are kept, or one that was is still on its way: a new one has to queue behind it.
  private(set) var isBusy = false
  /// Nobody will take what is kept: the connection has ended.
  private(set) var isAbandoned = false

  init(limit: Int) { self.limit = limit }

  var count: Int { messages.count - first }

  /// Keeps a message.
  ///
  /// - Returns: `false` if the oldest one was dropped for it.
  mutating func add(_ message: [UInt8]) -> Bool {
    isBusy = true
    messages.append(message)
    guard count > limit else { return true }
    _ = takeFirst()
    return false
  }

  /// The oldest message; `nil` when all have been taken, and the last of them has gone its way.
  mutating func next() -> [UInt8]? {
    guard count > 0 else {
      isBusy = false
      return nil
    }
    return takeFirst()
  }

  mutating func abandon() {
    isAbandoned = true
    messages = []
    first = 0
  }

  private mutating func takeFirst() -> [UInt8] {
    let message = messages[first]
    messages[first] = []
    first += 1
    // Amortised: as many have been added since.
    if first == messages.count || first > limit {
      messages.removeFirst(first)
      first = 0
    }
    return message
  }
}
