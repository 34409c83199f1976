import Synchronization

/// Something that happens once, or is counted, in one task and is looked at from another.
final class Count: Sendable {
  private let atomic = Atomic(0)
  var value: Int { atomic.load(ordering: .acquiring) }
  @discardableResult
  func increase(by amount: Int = 1) -> Int {
    atomic.wrappingAdd(amount, ordering: .acquiringAndReleasing).newValue
  }
}
