public import AsyncSockets
import Framing

extension Connector {
  /// Connects to a host through a proxy, which looks up the name.
  ///
  /// `deadline` covers all of it: looking up and connecting to the proxy, and its answer. `localAddress`, the options and
  /// `peerAddress` of the connection are about the way to the proxy.
  ///
  /// - Parameters:
  ///   - host: a name or a numeric address, without brackets.
  ///   - port: from 1 to 65535.
  ///   - proxy: who is to connect.
  /// - Returns: the connection, of which no byte of the target is lost, however soon it comes.
  /// - Throws: `ProxyError`, which names proxy, target and answer; `SocketError.timedOut` at the deadline, `.invalid`
  ///   for a value that cannot work; `.loopStopped`; `CancellationError`. Nothing stays open then.
  public func connect(to host: String, port: UInt16, through proxy: Proxy) async throws -> Connection {
    try await connect(to: ProxyTarget(host: host, port: port), through: proxy)
  }

  /// Connects to an IP address through a proxy; see `connect(to:port:through:)`.
  public func connect(to address: SocketAddress, through proxy: Proxy) async throws -> Connection {
    try await connect(to: ProxyTarget(address), through: proxy)
  }

  /// Connects to a host through a proxy, and closes the connection when `body` is left; see
  /// `withConnection(to:port:_:)` and `connect(to:port:through:)`.
  public func withConnection<Result>(
    to host: String, port: UInt16, through proxy: Proxy, _ body: (Connection) async throws -> Result
  ) async throws -> Result {
    try await connect(to: host, port: port, through: proxy).closing(after: body)
  }
}

extension Connector {
  private func connect(to target: ProxyTarget, through proxy: Proxy) async throws -> Connection {
    let handshake = try proxy.handshake(for: target)
    var connector = self
    connector.deadline = try absoluteDeadline
    do {
      let connection = try await connector.connect(to: proxy)
      do {
        try await connection.shakeHands(handshake, by: connector.deadline)
        return connection
      } catch {
        connection.abort()
        throw error
      }
    } catch let obstacle as Obstacle {
      throw ProxyError(proxy: proxy, target: "\(target)", reason: obstacle.reason)
    } catch SocketError.timedOut {
      throw SocketError.timedOut(operation: "connect \(target) through \(proxy)")
    }
  }

  private func connect(to proxy: Proxy) async throws -> Connection {
    do {
      switch proxy.location {
      case .host(let host, let port): return try await connect(to: host, port: port)
      case .address(let address): return try await connect(to: address)
      }
    } catch let error as SocketError {
      switch error {
      case .timedOut, .invalid, .loopStopped: throw error
      case .connectFailed(_, let failures) where !failures.isEmpty && failures.allSatisfy(\.error.isTimeout):
        throw SocketError.timedOut(operation: "connect")
      default: throw Obstacle(reason: .unreachable(error))
      }
    }
  }

  /// One point in time for all the steps. The clocks of a group's loops are one.
  private var absoluteDeadline: Deadline {
    get throws {
      guard case .after(let duration) = deadline else { return deadline }
      return .at(try environment.loops.loops[0].now.advanced(by: duration))
    }
  }
}

extension Connection {
  fileprivate func shakeHands(_ handshake: some ProxyHandshake, by deadline: Deadline) async throws {
    var handshake = handshake
    do {
      try await send(handshake.greeting)
      while let step = try await read(using: &handshake, deadline: deadline) {
        switch step {
        case .send(let bytes): try await send(bytes)
        case .established: return
        case .refused(let reason): throw Obstacle(reason: reason)
        }
      }
      throw Obstacle(reason: .ended)
    } catch FramingError.truncated {
      throw Obstacle(reason: .ended)
    } catch let error as FramingError {
      throw Obstacle(reason: .malformed("\(error)"))
    } catch let error as SocketError {
      switch error {
      case .timedOut, .loopStopped: throw error
      default: throw Obstacle(reason: .lost(error))
      }
    }
  }
}

extension SocketError {
  fileprivate var isTimeout: Bool { if case .timedOut = self { true } else { false } }
}

/// A reason, before it is known for which target and proxy.
private struct Obstacle: Error {
  let reason: ProxyError.Reason
}
