/// What a kernel may do at any time and seldom does, with the share of calls in which it happens.
public struct SystemCallFaults: Hashable, Sendable {
  /// Writes that take fewer bytes than there is room for, and packets that arrive in pieces.
  public var short: Double
  /// Calls that a signal interrupts.
  public var interrupted: Double

  /// Shares, each at least 0 and less than 1; by default one write in four is short, and one in fifty is interrupted.
  public init(short: Double = 0.25, interrupted: Double = 0.02) {
    self.short = short
    self.interrupted = interrupted
  }

  /// A kernel that always does all it can.
  public static let none = SystemCallFaults(short: 0, interrupted: 0)

  func validate() throws(SimulationError) {
    for (name, share) in [("short", short), ("interrupted", interrupted)] where !(0..<1).contains(share) {
      throw .invalid("the share of \(name) calls must be at least 0 and less than 1, but is \(share)")
    }
  }
}
