import AsyncSockets

extension TCPServer {
  /// How a drain went, connection by connection. Printed, it is one line if all have finished, and else a table of
  /// those that have not.
  public struct DrainReport: Hashable, Sendable {
    /// The connections that were there when the drain began, or came from the accept queue then, in the order in which
    /// they ended.
    public let connections: [Entry]
    /// From the beginning of the drain to the end of the last connection, by the loops' clock.
    public let duration: Duration

    /// One connection.
    public struct Entry: Hashable, Sendable {
      /// Who it was; `nil` when it is not known.
      public let peerAddress: SocketAddress?
      /// Whether it could finish.
      public let outcome: Outcome
      /// Why it ended; `nil` for one that has not.
      public let reason: CloseReason?
      /// How long it had been open in the end.
      public let age: Duration
      /// What its tasks were waiting for at the deadline, or when it was reset if it was closing by then; empty if they were
      /// busy with something else, or it was not cut.
      public let waits: [Connection.Wait]
      /// Bytes that had been sent when it was cut and that never reached the kernel.
      public let bytesUnsent: UInt64
    }

    /// What became of a connection.
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
      /// Its handler returned or threw by itself, and its output went out.
      case finished
      /// Its handler ran at the deadline, or when `run` was cancelled, and was cancelled.
      case cancelled
      /// A second later its handler still ran, or its output had still not gone out, and it was reset.
      case aborted
      /// It was still there when the report was made, for a caller of `drain` who was cancelled.
      case unfinished
    }

    /// How many came to that.
    public func count(of outcome: Outcome) -> Int { connections.count { $0.outcome == outcome } }

    /// Those that did not finish.
    public var cut: [Entry] { connections.filter { $0.outcome != .finished } }
  }
}

extension TCPServer.DrainReport: CustomStringConvertible {
  /// The most rows that the table prints.
  private static let longestTable = 50

  /// A line of totals, and a table of those that did not finish, or of the first 50 of them.
  public var description: String {
    let totals = Outcome.allCases.compactMap { outcome -> String? in
      let count = count(of: outcome)
      return count > 0 ? "\(count) \(outcome)" : nil
    }
    let summary = totals.isEmpty ? "no connections" : totals.joined(separator: ", ")
    let cut = cut
    var lines = ["drained in \(duration.briefly): \(summary)"]
    if !cut.isEmpty { lines += textTable([Entry.columns] + cut.prefix(Self.longestTable).map(\.cells)) }
    if cut.count > Self.longestTable { lines.append("  and \(cut.count - Self.longestTable) more") }
    return lines.joined(separator: "\n")
  }
}

extension TCPServer.DrainReport.Entry {
  fileprivate static let columns = ["peer", "outcome", "age", "waited in", "unsent", "reason"]

  fileprivate var cells: [String] {
    [
      peerAddress?.description ?? "-", outcome.rawValue, age.briefly,
      waits.isEmpty ? "-" : waits.map(\.rawValue).joined(separator: ", "), "\(bytesUnsent)",
      reason?.description ?? "-",
    ]
  }
}
