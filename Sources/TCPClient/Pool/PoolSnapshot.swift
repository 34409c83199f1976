/// A pool at one moment, for people: a log, a page of diagnostics.
public struct PoolSnapshot: Sendable {
  /// How many there are of what.
  public struct Counts: Hashable, Sendable {
    /// Connections that are being made.
    public internal(set) var connecting = 0
    /// Connections that are being checked.
    public internal(set) var checking = 0
    /// Connections that nobody uses.
    public internal(set) var idle = 0
    /// Connections that somebody uses.
    public internal(set) var lent = 0
    /// Connections that are being closed, which count until they are.
    public internal(set) var closing = 0
    /// Tasks that wait for a connection.
    public internal(set) var waiting = 0
  }

  /// The connections and those who wait for them.
  public let counts: Counts
  /// How many connections there may be.
  public let maximum: Int
  /// Whether `run` is at work, without which nothing is connected.
  public let isRunning: Bool
  /// Why the last attempt to connect failed; `nil` once one has succeeded.
  public let lastFailure: (any Error)?
}

extension PoolSnapshot: CustomStringConvertible {
  /// One line: `5 of 8 connections: 1 idle, 4 lent; 0 wait`.
  public var description: String {
    let parts = [
      (counts.idle, "idle"), (counts.lent, "lent"), (counts.connecting, "connecting"),
      (counts.checking, "checking"), (counts.closing, "closing"),
    ].filter { $0.0 > 0 }
    let total = parts.reduce(0) { $0 + $1.0 }
    let list = parts.isEmpty ? "" : ": " + parts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    return "\(total) of \(maximum) connections\(list); \(counts.waiting) wait"
      + (isRunning ? "" : "; run() is not running")
      + (lastFailure.map { "; the last attempt failed: \($0)" } ?? "")
  }
}
