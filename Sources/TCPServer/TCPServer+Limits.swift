import AsyncSockets

extension TCPServer {
  /// How much a server takes on; `nil` turns a limit off.
  ///
  /// The limits of each connection are members of these as well:
  ///
  /// ```swift
  /// var limits = TCPServer.Limits.public
  /// limits.connectionsPerPeer = 8
  /// limits.idle = .seconds(120)                     // the same as limits.each.idle
  /// ```
  @dynamicMemberLookup
  public struct Limits: Hashable, Sendable {
    /// How many connections are served at once, those that wait for admission among them; who comes later waits in the
    /// kernel's queue. By default what the process's limit of descriptors leaves after 128 others, and at least half of
    /// it; 0 serves nobody, and listens.
    public var connections: Int?

    /// How many of them one peer may have; more are reset. Counted by IP address, of IPv6 by its first 64 bits, all of
    /// which one site has. Unix sockets do not count. Off by default: behind a proxy all clients have one address.
    public var connectionsPerPeer: Int?

    /// How fast connections are accepted; who comes faster waits in the kernel's queue. Off by default.
    public var acceptRate: AcceptRate?

    /// How long the admission of a connection may take until it is reset; 10 s by default.
    public var admission: Duration? = .seconds(10)

    /// Those of each connection.
    public var each = ConnectionLimits()

    /// The defaults: what nobody minds. Connections, admission, and output that a peer does not take for 30 s.
    public init() {
      let descriptors = DescriptorLimit.current
      connections = max(descriptors / 2, descriptors - 128)
    }

    /// For a server that anybody can reach: every limit is on. 256 connections a peer and 1,000 new ones a second;
    /// 10 s for the first byte, 30 s for a message, which has to come with at least 240 bytes a second; 60 s idle.
    public static var `public`: Limits {
      var limits = Limits()
      limits.connectionsPerPeer = 256
      limits.acceptRate = AcceptRate(perSecond: 1000)
      limits.firstByte = .seconds(10)
      limits.message = .seconds(30)
      limits.minimumRate = MinimumRate(bytesPerSecond: 240)
      limits.idle = .seconds(60)
      return limits
    }

    /// Those of each connection, by their names.
    public subscript<Value>(dynamicMember path: WritableKeyPath<ConnectionLimits, Value>) -> Value {
      get { each[keyPath: path] }
      set { each[keyPath: path] = newValue }
    }

    /// Looks whether the values can work.
    ///
    /// - Throws: `SocketError.invalid`, which names the value and says what to change.
    public func validate() throws(SocketError) {
      if let connections, connections < 0 {
        throw .invalid("limits.connections must not be negative, but is \(connections); nil turns it off")
      }
      if let connectionsPerPeer, connectionsPerPeer < 1 {
        throw .invalid(
          "limits.connectionsPerPeer must be at least 1, but is \(connectionsPerPeer); nil turns it off")
      }
      if let acceptRate, !(1...1_000_000).contains(acceptRate.perSecond) {
        throw .invalid(
          "limits.acceptRate must be from 1 to 1000000 a second, not \(acceptRate.perSecond); nil turns it off"
        )
      }
      if let acceptRate, !(1...1_000_000).contains(acceptRate.burst) {
        throw .invalid("limits.acceptRate's burst must be from 1 to 1000000, not \(acceptRate.burst)")
      }
      if let admission, admission <= .zero {
        throw .invalid("limits.admission must be positive, not \(admission.exactly); nil turns it off")
      }
      try each.validate()
    }
  }

  /// The limits in force. They can be changed at any time, and count at once:
  ///
  /// ```swift
  /// server.limits.connections = 500                 // nil: none; 0 listens and serves none
  /// ```
  ///
  /// Raising the number of connections serves those who wait. Lowering it disturbs nobody, and lets no more in until
  /// enough have left. Connections that live follow changes of `each`, unless they have limits of their own, by their
  /// admission or by `Connection.set(_:)`. Values that cannot work change nothing, and are told by the event
  /// `limitsRefused`; `validate()` says so before. Of two threads that change them at a time, the last one's count.
  public var limits: Limits {
    get { entrance.terms.limits }
    set {
      do throws(SocketError) {
        try newValue.validate()
      } catch {
        tell(.limitsRefused(error))
        return
      }
      entrance.set(newValue, now: loops.loops[0].now)
      // Somebody else may change them meanwhile, and have told the connections before.
      var terms: Entrance.Terms
      repeat {
        terms = entrance.terms
        roster.follow(terms.limits)
      } while entrance.haveChanged(since: terms)
    }
  }
}
