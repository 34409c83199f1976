/// Where random numbers come from: the system, or a function of one's own, such as a seeded generator behind a lock.
///
/// All copies draw from the same source.
public struct RandomSource: RandomNumberGenerator, Sendable {
  private let draw: @Sendable () -> UInt64

  /// The system's, which nobody can predict.
  public init() {
    draw = {
      var system = SystemRandomNumberGenerator()
      return system.next()
    }
  }

  /// A source of one's own.
  ///
  /// - Parameter draw: 64 bits, each of which is as likely as not; called on any thread.
  public init(_ draw: @escaping @Sendable () -> UInt64) { self.draw = draw }

  /// The next number.
  public func next() -> UInt64 { draw() }
}
