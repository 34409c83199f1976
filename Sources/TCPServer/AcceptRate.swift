/// How many connections a server accepts in a time; those who come faster wait in the kernel's queue.
public struct AcceptRate: Hashable, Sendable {
  /// How many a second in the long run, from 1 to 1,000,000.
  public var perSecond: Int
  /// How many at once after a time in which nobody came, from 1 to 1,000,000.
  public var burst: Int

  /// So many connections per second, and as many at once unless said otherwise.
  public init(perSecond: Int, burst: Int? = nil) {
    self.perSecond = perSecond
    self.burst = burst ?? perSecond
  }
}
