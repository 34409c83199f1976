@_exported public import AsyncSockets
@_exported public import Framing
import TCPServer

/// A server of a test, as ``withTestServer(_:framing:on:patience:connection:_:)`` hands it to its body.
///
/// It listens on 127.0.0.1 and ::1, on one port that stays its own until the end of the test, also while nobody listens
/// there. Clients have numbers, from 1 in the order in which they were taken.
public final class TestServer<F: Framing>: Sendable {
  /// What clients send.
  public typealias InboundFrame = F.Decoder.Frame
  /// What they are sent.
  public typealias OutboundFrame = F.Encoder.Frame

  /// Where it listens: unless told otherwise 127.0.0.1, then ::1 where the machine has that.
  public let addresses: [SocketAddress]
  /// The port of its first address; that of all of them, if the system chose it.
  public let port: UInt16

  let framing: F
  let behaviour: Behaviour
  let patience: Duration
  let grace: Grace
  let environment: Environment
  let configuration: ConnectionOptions
  /// The event loop by whose clock its time-outs go.
  public let loop: EventLoop
  let log: EventLog<Event>
  let roster: TestRoster<F>
  let doorTurns = TurnQueue()
  let door = Lock(Door.closed)
  let runs = RunQueue()
  /// Opens when the body has ended or is to be cancelled.
  let bodyIsOver = Latch()
  let runIsOver = Latch()
  private let reservation: Lock<PortReservation?>

  init(
    _ behaviour: Behaviour, framing: F, on addresses: [SocketAddress]?, patience: Duration,
    connection: ConnectionOptions,
    environment: Environment
  ) throws {
    try connection.validate()
    if addresses?.isEmpty == true {
      throw SocketError.invalid("a test server needs at least 1 address, not 0")
    }
    if patience <= .zero { throw SocketError.invalid("patience must be positive, not \(patience)") }
    let loop = try environment.loops.loops[0]
    grace = try Grace()
    let reservation = try PortReservation(of: addresses ?? loopbacks(on: loop), on: loop)
    self.addresses = reservation.addresses
    self.port = reservation.addresses[0].port ?? 0
    self.reservation = Lock(reservation)
    self.framing = framing
    self.behaviour = behaviour
    self.patience = patience
    self.environment = environment
    self.loop = loop
    configuration = connection
    log = EventLog(on: loop)
    roster = TestRoster()
  }

  /// Lets the port go.
  func releasePort() { reservation.withLock { $0 = nil } }
}

/// Both loopback addresses, or that of IPv4 where the machine has no other.
private func loopbacks(on loop: EventLoop) -> [SocketAddress] {
  let hasIPv6 = (try? PortReservation(of: [.loopback6()], on: loop)) != nil
  return hasIPv6 ? [.loopback(), .loopback6()] : [.loopback()]
}

// MARK: - Clients

extension TestServer {
  /// The clients that are connected now, in the order in which they came.
  public var clients: [ClientInfo] { roster.current.map(\.info) }

  /// How many clients have come so far.
  public var clientCount: Int { roster.count }

  /// What is known of a client, while it is there and afterwards (the last 4,096); `nil` for a number that none has.
  public func info(of id: Int) -> ClientInfo? { roster.info(of: id) }

  /// A client's connection, while it is there and afterwards (the last 64); `nil` for a number that none has.
  public func peer(_ id: Int) -> TestPeer<F>? { roster.peer(id) }

  /// Waits for the next client that no other call of this function has returned, in the order in which they came.
  ///
  /// - Parameter limit: how long to wait; the server's patience by default.
  /// - Throws: ``ExpectationFailure`` when none comes; `CancellationError`.
  public func accept(
    within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws -> TestPeer<F> {
    try await wait("a client", within: limit, file, line) { roster.takeNext() }
  }

  /// Waits until so many clients have come, since the server's beginning.
  ///
  /// - Parameter limit: how long to wait; the server's patience by default.
  /// - Throws: as `accept(within:file:line:)`.
  public func waitForClients(
    _ count: Int, within limit: Duration? = nil, file: String = #fileID, line: Int = #line
  ) async throws {
    try await wait("\(count) clients", within: limit, file, line) { roster.count >= count ? () : nil }
  }

  private func wait<Value>(
    _ what: String, within limit: Duration?, _ file: String, _ line: Int, _ look: () -> Value?
  ) async throws -> Value {
    let limit = limit ?? patience
    let deadline = loop.now.advanced(by: limit)
    while true {
      let news = roster.news
      if let value = look() { return value }
      try checkIsServing(SourcePlace(file: file, line: line))
      switch await news.wait(until: deadline, on: loop) {
      case .opened: continue
      case .cancelled: throw CancellationError()
      case .timedOut:
        throw ExpectationFailure(
          "\(SourcePlace(file: file, line: line)): the test server on port \(port): expected \(what) within \(limit), "
            + "but \(roster.count) came")
      }
    }
  }

  /// - Throws: what is wrong with asking something of it once its end has begun.
  func checkIsServing(_ place: SourcePlace? = nil) throws {
    if roster.phase == .serving { return }
    // Then the failure is to be told, and not what becomes of it.
    if roster.failure != nil || Task.isCancelled { throw CancellationError() }
    throw ExpectationFailure("\(place.map { "\($0): " } ?? "")the test server on port \(port) is over")
  }

  // MARK: Sending

  /// Sends a client a frame, and returns when the kernel has it.
  ///
  /// - Throws: `SocketError.closed` when there is no such client, or no more; as `TestPeer.send(_:within:)`.
  public func send(
    _ frame: OutboundFrame, to id: Int, file: String = #fileID, line: Int = #line
  ) async throws {
    try await send(contentsOf: [frame], to: id, file: file, line: line)
  }

  /// Sends a client frames in order, with nothing of others between them; see `send(_:to:)`.
  public func send(
    contentsOf frames: [OutboundFrame], to id: Int, file: String = #fileID, line: Int = #line
  ) async throws {
    guard let peer = roster.peer(id) else { throw SocketError.closed }
    try await peer.send(contentsOf: frames, file: file, line: line)
  }

  /// Sends every client that is there a frame, all at the same time, and returns when the kernel has them all.
  ///
  /// - Throws: nothing for a client that goes meanwhile; ``ExpectationFailure`` when one takes nothing for as long as the
  ///   server's patience; `CancellationError`.
  public func broadcast(
    _ frame: OutboundFrame, file: String = #fileID, line: Int = #line
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for peer in roster.current {
        group.addTask {
          do {
            try await peer.send(frame, file: file, line: line)
          } catch is SocketError {}
        }
      }
      try await group.waitForAll()
    }
  }

  // MARK: Ending

  /// Closes a client's connection after what is pending, and returns when it is over.
  ///
  /// - Returns: whether there was such a client.
  @discardableResult
  public func disconnect(_ id: Int) async -> Bool {
    guard let peer = roster.peer(id), peer.info.closeReason == nil else { return false }
    await peer.close()
    return true
  }

  /// Resets a client's connection at once; what is pending may be lost.
  ///
  /// - Returns: whether there was such a client.
  @discardableResult
  public func terminate(_ id: Int) -> Bool {
    guard let peer = roster.peer(id), peer.info.closeReason == nil else { return false }
    peer.terminate()
    return true
  }
}
