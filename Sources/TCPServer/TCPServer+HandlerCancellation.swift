import AsyncSockets

extension TCPServer {
  /// When a server cancels a handler because of its peer.
  ///
  /// A handler that reads or sends hears of its peer's end by that. One that waits for something else, such as a database
  /// or news to push, does not, and would go on for nobody:
  ///
  /// ```swift
  /// configuration.cancelsHandlers = .onReset
  /// ```
  ///
  /// What it waits for ends as in every cancelled task, and so does the handler. The `CloseReason` is what the peer did:
  /// `reset`, say. A handler that has closed its connection by itself is left alone, and may do what it has to; one that
  /// waits for something in order to clean up after its peer does so in a cancelled task.
  ///
  /// It costs each connection another child task. A `ConnectionHandler`, which has none, hears of the end by `closed`, also
  /// while its context's `isReading` is `false`.
  public enum HandlerCancellation: Hashable, Sendable {
    /// The handler finds out by itself.
    case never

    /// When nothing can reach the peer any more: it has reset the connection, TCP has given it up (keep-alive, user
    /// time-out), a limit has ended it, or it has closed its end of a Unix socket.
    ///
    /// A TCP peer that closes its socket ends its stream by that, and the next bytes that are sent to it bring the reset.
    case onReset

    /// When it ends its stream, too, and what it had sent has been taken from the system.
    ///
    /// For protocols in which no client ends its stream and waits for an answer, as `nc -N` does: it would get none.
    case onEndOfStream

    var departure: PeerDeparture? {
      switch self {
      case .never: nil
      case .onReset: .reset
      case .onEndOfStream: .endOfStream
      }
    }
  }
}

extension Service {
  /// The same, but handlers are cancelled when their peers have gone.
  func cancelling(by departure: PeerDeparture) -> Service {
    switch self {
    case .open(let work): .open(work.cancelling(by: departure))
    case .admitting(let admit): .admitting { try await admit($0).cancelling(by: departure) }
    }
  }
}

extension Service.Work {
  fileprivate func cancelling(by departure: PeerDeparture) -> Service.Work {
    guard case .task(let handler) = self else { return self }
    return .task { connection in
      let watch = DepartureWatch(of: connection.handle)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(executorPreference: connection.loop.executor) {
          defer { watch.end() }
          connection.setOwner(true)
          try await handler(connection)
        }
        if await watch.peerHasGone(by: departure) {
          group.cancelAll()
          connection.handle.wakeOwner()
        }
        try await group.waitForAll()
      }
    }
  }
}
