import AsyncSockets

extension TCPServer {
  /// What a server has done since it was bound.
  ///
  /// A message costs nothing for it: the counters are those that each connection has, added up when one ends, and for
  /// those that live when somebody asks.
  public struct Totals: Hashable, Sendable {
    /// Connections that were accepted.
    public internal(set) var accepted = 0
    /// Connections that were refused after they had been accepted by the system.
    public internal(set) var refused = 0
    /// Connections that have ended, by the sort of reason; those that are missing have not occurred.
    public internal(set) var ended: [CloseReason.Kind: Int] = [:]
    /// Bytes taken from peers.
    public internal(set) var bytesRead: UInt64 = 0
    /// Bytes that the kernel has taken for peers.
    public internal(set) var bytesWritten: UInt64 = 0

    mutating func count(_ counters: Connection.Counters) {
      bytesRead &+= counters.bytesRead
      bytesWritten &+= counters.bytesWritten
    }

    mutating func countEnd(_ counters: Connection.Counters, _ reason: CloseReason) {
      count(counters)
      ended[reason.kind, default: 0] += 1
    }
  }

  /// What it has done until now.
  public var totals: Totals { roster.observe(entrance.standing).totals }
}

extension TCPServer.Totals: CustomStringConvertible {
  /// One line: `12 accepted, 0 refused, 3 ended (2 closedByPeer, 1 reset), 480 bytes in, 512 out`.
  public var description: String {
    let kinds = CloseReason.Kind.allCases.compactMap { kind in ended[kind].map { "\($0) \(kind)" } }
    let reasons = kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))"
    return "\(accepted) accepted, \(refused) refused, \(ended.values.reduce(0, +)) ended\(reasons), "
      + "\(bytesRead) bytes in, \(bytesWritten) out"
  }
}
