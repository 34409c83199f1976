import AsyncSockets
import MultiClient

/// Counts, from anywhere.
final class Counter: Sendable {
  private struct Numbers {
    var now = 0
    var most = 0
  }

  private let numbers = Lock(Numbers())

  var value: Int { numbers.withLock { $0.now } }
  /// The most that it has ever been.
  var most: Int { numbers.withLock { $0.most } }

  func add(_ count: Int = 1) {
    numbers.withLock { numbers in
      numbers.now += count
      numbers.most = max(numbers.most, numbers.now)
    }
  }
}

/// Remembers, from anywhere.
final class Log<Entry: Sendable>: Sendable {
  private let entries = Lock<[Entry]>([])

  var values: [Entry] { entries.withLock { $0 } }

  func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }
}

extension MultiClient {
  /// For whoever runs on the client's loop, as everybody in a simulation does.
  nonisolated var statisticsNow: ClientStatistics { assumeIsolated { $0.statistics } }
}
