/// What goes wrong in a ``FaultyTransport``. The contract of `Transport` allows all of it, so a connection over it keeps
/// every promise.
public struct TransportFaults: Hashable, Sendable {
  /// Where random choices begin; the same calls with the same seed go wrong in the same way.
  public var seed: UInt64
  /// Reads and writes move less than they could: a single byte every other time, else at most this many; `nil` for
  /// whole ones.
  public var largestPiece: Int?
  /// One call in so many says that it would block, in either direction, and is told at once that it may go on; `nil`
  /// for none.
  public var blockingInterval: Int?
  /// After one call in so many there is news without a cause; `nil` for never.
  public var spuriousInterval: Int?

  /// Short pieces, calls that would block, and news without a cause.
  ///
  /// - Parameters:
  ///   - seed: Where random choices begin.
  ///   - largestPiece: How many bytes a call moves at most, at least 1.
  ///   - blockingInterval: How often a call would block, at least 2.
  ///   - spuriousInterval: How often there is news without a cause, at least 1.
  public init(
    seed: UInt64, largestPiece: Int? = 4096, blockingInterval: Int? = 4, spuriousInterval: Int? = 8
  ) {
    self.seed = seed
    self.largestPiece = largestPiece.map { max(1, $0) }
    self.blockingInterval = blockingInterval.map { max(2, $0) }
    self.spuriousInterval = spuriousInterval.map { max(1, $0) }
  }
}
