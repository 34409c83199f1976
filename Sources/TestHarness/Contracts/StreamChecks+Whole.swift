import AsyncSockets

extension StreamProbe {
  /// Carries bytes as they are.
  private final class PassingTransport: Transport {
    private let lower: any Transport
    init(over lower: any Transport) { self.lower = lower }

    func read(into buffer: inout MutableRawSpan) -> TransportResult { lower.read(into: &buffer) }
    func write(_ bytes: RawSpan) -> TransportResult { lower.write(bytes) }
    func shutdownWrite() -> TransportResult { lower.shutdownWrite() }
    func close(abortively: Bool) { lower.close(abortively: abortively) }
    var unreadBytes: Int { lower.unreadBytes }
    func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
      lower.notifyReadiness(notify)
    }
  }

  func upgrade() async throws {
    try await far.send([1, 2, 3])
    try expectEqual(try await read(3, from: near, "bytes before"), [1, 2, 3], "bytes before the upgrade")
    try await near.send([4, 5, 6])
    trail.note("the upgrade")
    try await near.upgrade { PassingTransport(over: $0) }
    try expectEqual(try await read(3, from: far, "bytes before"), [4, 5, 6], "bytes sent before the upgrade")
    try await conversation(rounds: 10)
    try await wholeStream(count: setup.bulk / 3)
  }

  func nothingLeft() async throws {
    try await again { probe in
      _ = try await probe.fill(probe.near)
      probe.near.abort()
    }
    try await again { probe in
      _ = try await probe.outcome("a read with a deadline", waitingIn: .read, of: probe.near) {
        try await probe.near.read(deadline: .after(.seconds(1)))
      } meanwhile: {
        try await time.pass(.seconds(2))
      }
      await withTaskGroup(of: Void.self) { group in
        for end in [probe.near, probe.far] { group.addTask { await end.close() } }
      }
    }
    try await again { probe in
      probe.far.abort()
      _ = try? await probe.near.read()
    }
    discard()
    try await time.settle()
    try await until("the loop holds as little as before") {
      let census = time.loop.census
      trail.note("the loop holds \(census), and held \(before)")
      return census.registrations <= before.registrations && census.deadlines <= before.deadlines
    }
  }
}
