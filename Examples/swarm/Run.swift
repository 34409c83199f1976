import MultiClient
import Synchronization

/// What all connections of a run share.
final class Run: Sendable {
  let script: Script
  let pace: Pace
  let timeout: Duration
  let tally: Tally
  let hasRate: Bool
  private let connections: Int
  private let messages: Int?
  private let closeAll: @Sendable () -> Void
  private let nextNumber = Atomic(1)

  /// - Parameter closeAll: called once all connections have done what they were to do.
  init(
    _ options: Options, _ tally: Tally, began: EventLoop.Instant, closeAll: @escaping @Sendable () -> Void
  ) {
    script = options.script
    pace = Pace(options, began: began)
    timeout = options.timeout
    self.tally = tally
    hasRate = options.rate != nil
    connections = options.connections
    messages = options.messages
    self.closeAll = closeAll
  }

  /// The handler of the next connection.
  func talker() -> Talker {
    Talker(self, number: nextNumber.wrappingAdd(1, ordering: .relaxed).oldValue)
  }

  /// Whether a connection that has sent so many messages has sent all.
  func isLast(_ sent: Int) -> Bool { messages.map { sent >= $0 } ?? false }

  /// A connection has done, and stays open for the others, unless some of them wait for its place.
  ///
  /// - Returns: whether it is to close now.
  @discardableResult
  func settled() -> Bool {
    if tally.settled() == connections { closeAll() }
    return tally.lacksPlaces
  }
}
