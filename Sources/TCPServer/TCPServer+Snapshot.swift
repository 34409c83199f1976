import AsyncSockets

extension TCPServer {
  /// What the server and each of its connections is doing right now. From any thread, at any time; each connection is
  /// looked at by itself, one after the other.
  ///
  /// ```swift
  /// for await _ in try ProcessSignals(.user1) { print(server.snapshot) }
  /// ```
  public var snapshot: Snapshot {
    let (totals, connections, state) = roster.observe(entrance.standing)
    return Snapshot(
      addresses: addresses, state: state, connections: connections.map(\.snapshot), totals: totals)
  }

  /// A server at one moment, for people: printed, it is a table.
  public struct Snapshot: Hashable, Sendable {
    /// The addresses that it was bound to.
    public let addresses: [SocketAddress]
    /// How far it has got.
    public let state: State
    /// The connections that are being served, in no order that means anything.
    public let connections: [Connection.Snapshot]
    /// What it has done until then.
    public let totals: Totals

    /// What a server does with those who connect, and with those whom it has.
    public enum State: String, Hashable, Sendable {
      /// It is bound, and `run` has not been called.
      case bound
      /// It takes connections.
      case accepting
      /// It lets them wait: `pauseAccepting()`.
      case paused
      /// It takes no more of them, and serves those that it has: `stopAccepting()`.
      case stopped
      /// It waits for its handlers to finish.
      case draining
      /// Its handlers have been cancelled.
      case cancelled
      /// `run` has returned, or never will begin.
      case ended
    }
  }
}

extension TCPServer.Snapshot: CustomStringConvertible {
  /// A line on the server, one with its totals, and a table of the connections.
  public var description: String {
    let names = addresses.map(\.description).joined(separator: ", ")
    var lines = ["server on \(names): \(state), \(connections.count) connected", totals.description]
    if !connections.isEmpty {
      lines += textTable([Connection.Snapshot.columns] + connections.map(\.cells))
    }
    return lines.joined(separator: "\n")
  }
}
