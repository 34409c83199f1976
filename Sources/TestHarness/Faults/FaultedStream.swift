import AsyncSockets

/// One direction of a connection through a fault proxy: what is read on one side goes through the faults to the other.
final class FaultedStream: Sendable {
  private struct State {
    var chain = FaultChain()
    var due: EventLoop.Instant?
    var severance: Severance?
    /// Opens when anything has changed.
    var news = Latch()
  }

  private static let largestRead = 16_384

  private let state = Lock(State())
  private let loop: EventLoop
  private let source: Connection
  private let destination: Connection

  init(from source: Connection, to destination: Connection, on loop: EventLoop) {
    self.source = source
    self.destination = destination
    self.loop = loop
  }

  // MARK: Faults

  func add(_ fault: Fault, id: Int, random: SeededRandom) {
    change { chain, now in chain.add(fault.makeToxic(at: now, random: random), id: id) }
  }

  func remove(id: Int) { change { chain, now in chain.remove(id: id, at: now) } }

  // MARK: The bytes

  /// Reads to the end of the stream, while there is room.
  func receive() async {
    while await waitForRoom() {
      do {
        guard let bytes = try await source.read(atMost: Self.largestRead) else { return take(.end) }
        take(.bytes(bytes[...]))
      } catch {
        // A cancelled read is the end of the whole connection, and nobody will look at this.
        return take(.reset)
      }
    }
  }

  /// Passes on what has come through, and tells what befalls it.
  func deliver(_ note: (ProxyEndings.Event) -> Void) async {
    do {
      while let parcel = await nextDelivery() {
        switch parcel {
        case .bytes(let bytes):
          try await destination.send(Array(bytes))
          // Nothing more is taken while this is not gone, and a reset must not overtake it.
          try await destination.flush()
        case .end:
          try await destination.finishWriting()
          note(.ended)
        case .reset: return note(.severed(.reset))
        case .close: return note(.severed(.close))
        }
      }
    } catch {
      note(.refused)
    }
  }

  /// Lets go what is held when its time has come, and tells when a fault ends the connection.
  func keepTime(_ note: (ProxyEndings.Event) -> Void) async {
    while !Task.isCancelled {
      let (due, severance, news) = state.withLock { ($0.due, $0.severance, $0.news) }
      if let severance { return note(.severed(severance)) }
      guard await news.wait(until: due, on: loop) == .timedOut else { continue }
      // A loop that has stopped keeps no time.
      if let due, loop.now < due { return }
      change { _, _ in }
    }
  }

  private func take(_ parcel: Parcel) { change { chain, now in chain.take(parcel, at: now) } }

  /// - Returns: `false` when cancelled.
  private func waitForRoom() async -> Bool {
    while true {
      let (hasRoom, news) = state.withLock { ($0.chain.hasRoom, $0.news) }
      if hasRoom { return true }
      if await news.wait(on: loop) == .cancelled { return false }
    }
  }

  /// - Returns: `nil` when cancelled.
  private func nextDelivery() async -> Parcel? {
    while true {
      let (hasDelivery, news) = state.withLock { ($0.chain.hasDelivery, $0.news) }
      if hasDelivery { return change { chain, _ in chain.deliver() } }
      if await news.wait(on: loop) == .cancelled { return nil }
    }
  }

  @discardableResult
  private func change<Result>(_ body: (inout FaultChain, EventLoop.Instant) -> Result) -> Result {
    let now = loop.now
    let (result, news) = state.withLock { state in
      let result = body(&state.chain, now)
      (state.due, state.severance) = state.chain.run(at: now)
      defer { state.news = Latch() }
      return (result, state.news)
    }
    news.open()
    return result
  }
}
