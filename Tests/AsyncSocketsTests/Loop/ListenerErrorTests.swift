import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A listener whose accept fails", .timeLimit(.minutes(4)))
struct ListenerErrorTests {
  private static let transient = [
    ECONNABORTED, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, EOPNOTSUPP,
    ETIMEDOUT, EPERM,
  ]
  private static let shortages = [EMFILE, ENFILE, ENOBUFS, ENOMEM]

  @Test("for a connection that died goes on to the next, ten times in a row (P11)", arguments: transient)
  func transientError(errno: Int32) async throws {
    let kernel = AcceptScript(Array(repeating: errno, count: 10))
    try await withListener(clock: ManualClock(), kernel: kernel) { listener in
      let (peer, connection) = try await listener.pair()
      #expect(connection.peerAddress?.port == (try peer.localPort))
      #expect(kernel.calls == 11)
      connection.abort()
      peer.close()
    }
  }

  @Test(
    "for want of resources waits 100 ms and tries again, ten times in a row (P09, P11)", arguments: shortages)
  func shortage(errno: Int32) async throws {
    let clock = ManualClock()
    let kernel = AcceptScript()
    kernel.fail(with: errno)
    try await withListener(clock: clock, kernel: kernel) { listener in
      let peer = try await listener.connect()
      let accept = Task { try await listener.accept(on: listener.loop) }
      for attempts in 1...10 {
        try await eventually("attempt \(attempts)") {
          kernel.calls == attempts && listener.loop.census.deadlines == 1
        }
        clock.advance(by: .milliseconds(100) - .nanoseconds(1))
        await letSettle(listener.loop)
        #expect(kernel.calls == attempts)
        clock.advance(by: .nanoseconds(1))
      }
      kernel.fail(with: nil)
      clock.advance(by: .milliseconds(100))
      let connection = try await accept.value
      #expect(connection.peerAddress?.port == (try peer.localPort))
      connection.abort()
      peer.close()
    }
  }

  @Test("for want of resources tries again at once when a connection of ours ends (P09)")
  func resourcesFreed() async throws {
    let kernel = AcceptScript()
    kernel.fail(with: EMFILE)
    try await withListener(clock: ManualClock(), kernel: kernel) { listener in
      let peer = try await listener.connect()
      let accepted = Count()
      let accept = Task {
        defer { accepted.increase() }
        return try await listener.accept(on: listener.loop)
      }
      // Between an attempt and the wait after it, nobody hears: so it is said until it is heard.
      try await eventually("it has tried again") {
        listener.listener.resourcesFreed()
        return kernel.calls >= 2
      }
      kernel.fail(with: nil)
      try await eventually("it has accepted") {
        listener.listener.resourcesFreed()
        return accepted.value == 1
      }
      try await accept.value.abort()
      peer.close()
    }
  }

  @Test("for want of resources does not try again for each client that comes (P09)")
  func shortageUnderLoad() async throws {
    let kernel = AcceptScript()
    kernel.fail(with: EMFILE)
    try await withListener(clock: ManualClock(), kernel: kernel) { listener in
      let accept = Task(executorPreference: listener.loop.executor) {
        try await listener.accept(on: listener.loop)
      }
      try await eventually("it waits") { kernel.calls == 1 && listener.loop.census.deadlines == 1 }
      var peers: [BlockingPeer] = []
      for _ in 0..<20 {
        peers.append(try await listener.connect())
        await letSettle(listener.loop)
      }
      #expect(kernel.calls == 1)
      accept.cancel()
      await #expect(throws: CancellationError.self) { try await accept.value }
      kernel.fail(with: nil)
      for peer in peers {
        try await listener.accept(on: listener.loop).abort()
        peer.close()
      }
    }
  }

  @Test("can be closed during a shortage")
  func closedDuringShortage() async throws {
    let kernel = AcceptScript()
    kernel.fail(with: EMFILE)
    try await withListener(clock: ManualClock(), kernel: kernel) { listener in
      let accept = Task { try await listener.accept(on: listener.loop) }
      try await eventually("it waits") { kernel.calls == 1 && listener.loop.census.deadlines == 1 }
      listener.close()
      await #expect(throws: SocketError.closed) { try await accept.value }
    }
  }

  @Test("to be watched by its loop is told to whoever accepts")
  func cannotBeWatched() async throws {
    try await withListener(clock: ManualClock(), kernel: UnwatchedKernel()) { door in
      let expected = SocketError.failed(Errno(rawValue: ENOSPC), call: "epoll_ctl", address: nil)
      await #expect(throws: expected) { try await door.accept(on: door.loop) }
    }
  }

  @Test("for good says so, with errno, call and address (P11)", arguments: [EBADF, EINVAL, ENOTSOCK])
  func fatalError(errno: Int32) async throws {
    let kernel = AcceptScript()
    kernel.fail(with: errno)
    try await withListener(clock: ManualClock(), kernel: kernel) { listener in
      let expected = SocketError.failed(Errno(rawValue: errno), call: "accept", address: listener.address)
      for _ in 0..<2 {
        await #expect(throws: expected) { try await listener.accept(on: listener.loop) }
      }
      #expect(kernel.calls == 2)
      #expect(expected.description.contains("accept \(listener.address)"))
    }
  }

  @Test("because a signal interrupted it shows nothing of that (P66, scenario F18)")
  func interrupted() async throws {
    let kernel = AcceptScript(Array(repeating: EINTR, count: 50))
    try await withListener(clock: ManualClock(), kernel: kernel) { listener in
      let peer = try await listener.connect()
      guard
        case .connection(let connection) = try listener.acceptNow(
          on: listener.loop, options: ConnectionOptions())
      else {
        Issue.record("no connection at once")
        return
      }
      #expect(kernel.calls == 51)
      connection.abort()
      peer.close()
    }
  }

  @Test("with nothing to accept makes no call until somebody comes")
  func nothing() async throws {
    let kernel = AcceptScript()
    try await withListener(clock: ManualClock(), kernel: kernel) { listener in
      for _ in 0..<10 {
        guard case .nothing = try listener.acceptNow(on: listener.loop, options: ConnectionOptions()) else {
          Issue.record("there was something")
          return
        }
      }
      #expect(kernel.calls == 1)
      let (peer, connection) = try await listener.pair()
      connection.abort()
      peer.close()
    }
  }

  @Test("because the client had reset it already does not suffer from that (P12, scenario G16)")
  func resetInQueue() async throws {
    try await withListener { listener in
      try await onThread { [address = listener.address] in
        for _ in 0..<100 { try Network.connect(to: address).reset() }
      }
      let peer = try await listener.connect()
      var seen = 0
      while true {
        let connection = try await listener.accept(on: listener.loop)
        defer { connection.abort() }
        seen += 1
        if connection.peerAddress?.port == (try peer.localPort) { break }
        let error = await socketError(of: { try await connection.read() })
        #expect(error?.isReset == true)
      }
      #expect(seen <= 101)
      peer.close()
    }
  }
}

/// A kernel whose epoll instances are full: epoll_ctl(2), ENOSPC.
private final class UnwatchedKernel: Kernel {
  func makePoller() throws(SocketError) -> any Poller { try FullPoller() }

  private final class FullPoller: Poller {
    private let epoll: Epoll

    init() throws(SocketError) { epoll = try Epoll() }

    func add(_ descriptor: Int32, for events: Epoll.Events, key: UInt64) -> Errno? { Errno(rawValue: ENOSPC) }
    func interrupt() { epoll.interrupt() }
    func wait(
      nanoseconds: Int64, woken: () -> Void, approaching: (UInt64, Proximity) -> Void,
      ready: (UInt64, Epoll.Events) -> Void
    ) {
      epoll.wait(nanoseconds: nanoseconds, woken: woken, approaching: approaching, ready: ready)
    }
  }
}
