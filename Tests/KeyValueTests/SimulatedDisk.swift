import Synchronization

@testable import keyvalue

/// Lines that outlast a host's crash, since they are made outside of it; but for the last, if they are kept several at once.
final class SimulatedDisk: Disk {
  private let linesAtOnce: Int
  private let content = Mutex<[String]>([])

  init(linesAtOnce: Int = 1) { self.linesAtOnce = linesAtOnce }

  func lines() -> [String] {
    content.withLock {
      $0.removeLast($0.count % linesAtOnce)
      return $0
    }
  }

  func append(_ line: String) { content.withLock { $0.append(line) } }
}
