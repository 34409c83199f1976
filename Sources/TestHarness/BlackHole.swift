import AsyncSockets

/// Listeners whose queues are full and stay so: the kernel drops every further attempt to connect (listen(2)).
final class BlackHole: Sendable {
  private let listeners: [Listener]
  private let fillers: [Connection]

  /// How many the kernel lets wait: the backlog and one more.
  private static let backlog = 1

  /// - Throws: `SocketError` when one of the addresses cannot be had.
  init(at addresses: [SocketAddress], on loop: EventLoop, environment: Environment) async throws {
    var listeners: [Listener] = []
    var fillers: [Connection] = []
    do {
      listeners = try Listener.bind(to: addresses, on: loop, backlog: Self.backlog)
      var connector = Connector(environment: environment)
      // Who is not answered has found the queue full, since a client was there first.
      connector.deadline = .after(.seconds(2))
      for address in addresses {
        for _ in 0...Self.backlog {
          do {
            fillers.append(try await connector.connect(to: address))
          } catch SocketError.timedOut {
            break
          }
        }
      }
    } catch {
      for filler in fillers { filler.abort() }
      for listener in listeners { listener.close() }
      throw error
    }
    self.listeners = listeners
    self.fillers = fillers
  }

  func close() {
    for listener in listeners { listener.close() }
    for filler in fillers { filler.abort() }
  }
}
