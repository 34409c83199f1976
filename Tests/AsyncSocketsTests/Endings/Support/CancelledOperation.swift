import Framing
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

/// An operation that may have to wait, and is cancelled at some moment.
enum CancelledOperation: String, CaseIterable, Codable, Sendable {
  case read, readExactly, readFrame, send, largeSend, flush, finishWriting, upgrade
  case accept, connect, race, sleep

  /// Far more than the kernel's buffers hold when they are kept small.
  private static let tooMuch = 300_000

  /// Tries it once.
  ///
  /// - Returns: whether it was cancelled.
  func run(_ moment: Moment, _ network: Network, _ clock: ManualClock) async throws -> Bool {
    switch self {
    case .accept: return try await accept(moment, network)
    case .connect, .race: return try await connect(moment, network)
    case .sleep:
      return try isCancelled(
        await moment.cancelling { [loop = moment.loop] in
          try await loop.sleep(for: .seconds(5))
        } supply: {
          clock.advance(by: .seconds(5))
        })
    default: break
    }
    let mustFill = [.send, .flush, .finishWriting, .upgrade].contains(self)
    let link = try await makeLink(
      network, on: moment.loop, clock: clock, hasSmallBuffers: mustFill || self == .largeSend)
    defer {
      link.connection.abort()
      link.peer.close()
    }
    if mustFill { try await link.connection.sendWithoutWaiting(payload(Self.tooMuch)) }
    switch self {
    case .read, .readExactly, .readFrame: return try await read(moment, link)
    case .largeSend: return try await largeSend(moment, link)
    default: return try await write(moment, link)
    }
  }

  /// `false` for a result; an error that is no cancellation is thrown.
  private func isCancelled<Value>(_ result: Result<Value, any Error>) throws -> Bool {
    do {
      _ = try result.get()
      return false
    } catch is CancellationError {
      return true
    }
  }

  // MARK: Reading

  /// A cancelled read has taken nothing.
  private func read(_ moment: Moment, _ link: Link) async throws -> Bool {
    let connection = link.connection
    let lines = connection.framed(LineFraming())
    try link.peer.send("hel")
    if self == .read { #expect(try await connection.receive(exactly: 3) == bytes("hel")) }
    let result = try await moment.cancelling { () -> [UInt8]? in
      switch self {
      case .readExactly: try await connection.read(exactly: 6, deadline: .after(.seconds(100)))
      case .readFrame: try await lines.next().map { bytes($0 + "\n") }
      default: try await connection.read()
      }
    } supply: {
      try link.peer.send("lo\n")
    }
    let expected = bytes(self == .read ? "lo\n" : "hello\n")
    if case .success(let received) = result { #expect(received == expected, "\(moment)") }
    let isCancelled = try isCancelled(result)
    if isCancelled { #expect(try await connection.receive(exactly: expected.count) == expected, "\(moment)") }
    return isCancelled
  }

  // MARK: Writing

  /// What was sent before arrives, and what was cancelled is there whole or not at all.
  private func write(_ moment: Moment, _ link: Link) async throws -> Bool {
    let connection = link.connection
    let result = try await moment.cancelling {
      switch self {
      case .send: try await connection.send("more")
      case .flush: try await connection.flush()
      case .finishWriting: try await connection.finishWriting()
      default: try await connection.upgrade { RecordTransport(over: $0) }
      }
    } supply: {
      let received = try await onThread { try link.peer.receive(exactly: Self.tooMuch) }
      #expect(areSame(received, payload(Self.tooMuch)), "\(moment)")
    }
    let isCancelled = try isCancelled(result)
    if self == .upgrade, !isCancelled { return false }
    try await connection.finishWriting()
    let rest = try await onThread { try link.peer.receiveToEnd() }
    #expect(rest == bytes(self == .send && !isCancelled ? "more" : ""), "\(moment)")
    return isCancelled
  }

  /// Once it is accepted, a send no longer fails by a cancellation, and does not wait for the peer either.
  private func largeSend(_ moment: Moment, _ link: Link) async throws -> Bool {
    let connection = link.connection
    let isCancelled = try isCancelled(
      await moment.cancelling { try await connection.send(payload(Self.tooMuch)) })
    async let received = onThread { try link.peer.receiveToEnd() }
    try await connection.finishWriting()
    #expect(areSame(try await received, isCancelled ? [] : payload(Self.tooMuch)), "\(moment)")
    return isCancelled
  }

  // MARK: Connecting

  /// A connection is delivered, or the next accept gets it.
  private func accept(_ moment: Moment, _ network: Network) async throws -> Bool {
    let loop = moment.loop
    let listener = try Listener.bind(to: network.freeAddress, on: loop)
    defer { listener.close() }
    let peers = Recorder<BlockingPeer>()
    let result = try await moment.cancelling {
      try await listener.accept(on: loop)
    } supply: {
      try await onThread { [address = listener.address] in
        let peer = try Network.connect(to: address)
        try peer.send("hello")
        peers.append(peer)
      }
    }
    let isCancelled = try isCancelled(result)
    let connection = isCancelled ? try await listener.accept(on: loop) : try result.get()
    #expect(try await connection.receive(exactly: 5) == bytes("hello"), "\(moment)")
    connection.abort()
    return isCancelled
  }

  private func connect(_ moment: Moment, _ network: Network) async throws -> Bool {
    let listener = try Listener.bind(to: network.freeAddress, on: moment.loop)
    defer { listener.close() }
    let closed = try ReservedPort()
    let resolver = FixedResolver(addresses: [.loopback(port: closed.number), listener.address])
    var connector = Connector()
    connector.environment = Environment(loops: try Environment.current.loops, resolver: resolver)
    let result = try await moment.cancelling { [connector, address = listener.address] in
      if self == .race { return try await connector.connect(to: "host", port: 80) }
      return try await connector.connect(to: address)
    }
    if case .success(let connection) = result { connection.abort() }
    return try isCancelled(result)
  }
}

private struct FixedResolver: Resolver {
  let addresses: [SocketAddress]
  func resolve(_ host: String, port: UInt16) async throws -> [SocketAddress] { addresses }
}
