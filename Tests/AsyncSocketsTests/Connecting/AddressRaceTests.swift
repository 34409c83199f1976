import Glibc
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A race of addresses", .timeLimit(.minutes(4)))
struct AddressRaceTests {
  @Test(
    "is won by whichever connects first, and the others are closed at once (P55)", arguments: 0..<5,
    [true, false])
  func winner(winner: Int, isOnLoop: Bool) async throws {
    try await withRaceTrack([4, 4, 4, 4, 4]) { track in
      let connection = Task(executorPreference: isOnLoop ? track.loop.executor : nil) {
        try await track.connector.connect(to: "host", port: 80)
      }
      for tried in 1..<5 {
        try await track.untilTried(tried)
        track.clock.advance(by: .milliseconds(250))
      }
      try await track.untilTried(5)
      #expect(track.kernel.attempts == track.addresses)
      #expect(track.kernel.openCount == 5)
      track.kernel.end(track.addresses[winner])
      let connected = try await connection.value
      #expect(connected.peerAddress == track.addresses[winner])
      // A child process of another test has a copy of every descriptor until it runs its own program.
      try await eventually("the others are closed") { track.kernel.openCount == 1 }
      #expect(track.kernel.isOpen(track.addresses[winner]))
      connected.abort()
    }
  }

  @Test("gives each address its time alone, and not a nanosecond less")
  func attemptDelay() async throws {
    try await withRaceTrack([6, 4]) { track in
      let connection = Task { try await track.connector.connect(to: "host", port: 80) }
      try await track.untilTried(1)
      track.clock.advance(by: .milliseconds(250) - .nanoseconds(1))
      await letSettle(track.loop)
      #expect(track.kernel.attempts.count == 1)
      track.clock.advance(by: .nanoseconds(1))
      try await track.untilTried(2)
      track.kernel.end(track.addresses[0])
      try await connection.value.abort()
    }
  }

  @Test("goes on at once when an address refuses, and takes the families in turn")
  func refusals() async throws {
    try await withRaceTrack([6, 6, 4, 4]) { track in
      let order = [0, 2, 1, 3].map { track.addresses[$0] }
      track.kernel.answer(order[0], ENETUNREACH)
      let connection = Task { try await track.connector.connect(to: "host", port: 80) }
      try await track.untilTried(2)
      track.kernel.end(order[1], with: ECONNREFUSED)
      try await track.untilTried(3)
      track.kernel.end(order[2], with: EHOSTUNREACH)
      // The last has nobody behind it: what it waits for is the deadline.
      try await track.untilTried(4)
      track.kernel.end(order[3])
      try await connection.value.abort()
      #expect(track.kernel.attempts == order)
      #expect(track.clock.now == EventLoop.Instant(nanoseconds: 0))
    }
  }

  @Test("that nobody wins names each address and its errno")
  func failure() async throws {
    try await withRaceTrack([6, 4, 4]) { track in
      track.kernel.answer(track.addresses[0], ENETUNREACH)
      track.kernel.answer(track.addresses[1], EACCES)
      let connection = Task { try await track.connector.connect(to: "host", port: 80) }
      try await track.untilTried(3)
      track.kernel.end(track.addresses[2], with: ECONNREFUSED)
      let error = await socketError { try await connection.value }
      let failures = zip(track.addresses, [ENETUNREACH, EACCES, ECONNREFUSED]).map { address, errno in
        ConnectFailure(
          address: address, error: .failed(Errno(rawValue: errno), call: "connect", address: address))
      }
      #expect(error == .connectFailed(host: "host", failures))
      #expect(
        error?.description == """
          cannot connect to host: connect [2001:db8::1]:80: ENETUNREACH (Network is unreachable); \
          connect 192.0.2.2:80: EACCES (Permission denied); \
          connect 192.0.2.3:80: ECONNREFUSED (Connection refused)
          """)
    }
  }

  @Test("ends at the deadline, whatever is under way (P53)")
  func deadline() async throws {
    try await withRaceTrack([4, 6, 4]) { track in
      var connector = track.connector
      connector.deadline = .after(.milliseconds(300))
      track.kernel.answer(track.addresses[0], ECONNREFUSED)
      let connection = Task { [connector] in try await connector.connect(to: "host", port: 80) }
      try await track.untilTried(2)
      track.clock.advance(by: .milliseconds(250))
      try await track.untilTried(3)
      track.clock.advance(by: .milliseconds(50) - .nanoseconds(1))
      await letSettle(track.loop)
      try await eventually("2 are open") { track.kernel.openCount == 2 }
      track.clock.advance(by: .nanoseconds(1))
      let error = await socketError { try await connection.value }
      guard case .connectFailed("host", let failures) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(failures.map(\.address) == track.addresses)
      #expect(failures.map(\.error.isTimedOut) == [false, true, true])
      try await eventually("0 are open") { track.kernel.openCount == 0 }
    }
  }

  @Test("is won by an address that connects without waiting")
  func immediate() async throws {
    try await withRaceTrack([4, 4]) { track in
      track.kernel.answer(track.addresses[0], 0)
      let connection = try await track.connector.connect(to: "host", port: 80)
      #expect(track.kernel.attempts == [track.addresses[0]])
      connection.abort()
    }
  }

  @Test("goes on by itself when a signal interrupts a connect (P66)")
  func interrupted() async throws {
    try await withRaceTrack([4]) { track in
      track.kernel.answer(track.addresses[0], EINTR)
      // Nothing is in its way, so that epoll tells of it at once.
      let connection = try await track.connector.connect(to: "host", port: 80)
      #expect(track.kernel.attempts.count == 1)
      connection.abort()
    }
  }

  @Test("that is cancelled at any point closes every attempt (P38)", arguments: 0...4, [true, false])
  func cancellation(tried: Int, isOnLoop: Bool) async throws {
    try await withRaceTrack([6, 4, 6, 4]) { track in
      let connection = Task(executorPreference: isOnLoop ? track.loop.executor : nil) {
        try await track.connector.connect(to: "host", port: 80)
      }
      for count in 1..<max(tried, 1) {
        try await track.untilTried(count)
        track.clock.advance(by: .milliseconds(250))
      }
      if tried > 0 { try await track.untilTried(tried) }
      connection.cancel()
      await #expect(throws: CancellationError.self) { try await connection.value }
      try await eventually("0 are open") { track.kernel.openCount == 0 }
    }
  }

  @Test("that is cancelled after any number of turns leaves nothing (P38)", arguments: [true, false])
  func cancellationSweep(isOnLoop: Bool) async throws {
    var outcomes: Set<Bool> = []
    for turns in 0..<24 {
      try await withRaceTrack([6, 4]) { track in
        track.kernel.answer(track.addresses[0], ECONNREFUSED)
        track.kernel.answer(track.addresses[1], EINTR)
        let connection = Task(executorPreference: isOnLoop ? track.loop.executor : nil) {
          try await track.connector.connect(to: "host", port: 80)
        }
        for _ in 0..<turns { await track.loop.nextTurn() }
        connection.cancel()
        switch await connection.result {
        case .success(let connection):
          outcomes.insert(true)
          try await eventually("1 are open") { track.kernel.openCount == 1 }
          connection.abort()
        case .failure(let error):
          outcomes.insert(false)
          #expect(error is CancellationError)
          try await eventually("0 are open") { track.kernel.openCount == 0 }
        }
      }
    }
    #expect(outcomes.contains(true))
  }

  @Test("ends when its loop stops")
  func loopStops() async throws {
    let track = try RaceTrack([4, 4])
    let connection = Task { try await track.connector.connect(to: "host", port: 80) }
    try await track.untilTried(1)
    await track.loop.shutdown()
    let error = await socketError { try await connection.value }
    #expect(error != nil)
    try await eventually("0 are open") { track.kernel.openCount == 0 }
  }

  @Test("makes no call for a deadline in the past (P46)")
  func pastDeadline() async throws {
    try await withRaceTrack([4]) { track in
      var connector = track.connector
      for deadline in [Deadline.after(.zero), .after(.seconds(-1)), .at(track.clock.now)] {
        connector.deadline = deadline
        for host in ["host", "192.0.2.1"] {
          let error = await socketError { try await connector.connect(to: host, port: 80) }
          #expect(error?.isTimedOut == true)
        }
        let error = await socketError { try await connector.connect(to: track.addresses[0]) }
        #expect(error?.isTimedOut == true)
      }
      #expect(track.kernel.attempts == [])
    }
  }

  @Test("gives the connection to a task that hears of it only after the deadline (P46)")
  func lateTask() async throws {
    try await withRaceTrack([4]) { track in
      let executor = HeldExecutor()
      let connection = Task(executorPreference: executor) {
        try await track.connector.connect(to: track.addresses[0])
      }
      try await eventually("it waits") {
        executor.runAll()
        return track.kernel.attempts.count == 1 && track.loop.census.registrations == 1
      }
      track.kernel.end(track.addresses[0])
      try await eventually("the loop has told it") { executor.count == 1 }
      track.clock.advance(by: .seconds(10))
      await letSettle(track.loop)
      executor.runAll()
      try await connection.value.abort()
    }
  }

  @Test("goes on to the next address when the loop cannot watch one (P06)")
  func registrationFails() async throws {
    try await withRaceTrack([4]) { track in
      let told = Recorder<Void>()
      let attempt = ConnectAttempt(to: track.addresses[0], loop: track.loop.core) { told.append(()) }
      guard case .pending = attempt.begin(boundTo: nil, options: []) else {
        Issue.record("not under way")
        return
      }
      let error = SocketError.failed(Errno(ENOSPC), call: "epoll_ctl", address: nil)
      attempt.registrationFailed(error)
      #expect(told.count == 1)
      guard case .failed(error) = attempt.result() else {
        Issue.record("not failed")
        return
      }
      try await eventually("0 are open") { track.kernel.openCount == 0 }
    }
  }
}

/// Keeps a task's jobs until the test runs them.
private final class HeldExecutor: TaskExecutor {
  private let jobs = Lock([UnownedJob]())

  var count: Int { jobs.withLock { $0.count } }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
  }

  func runAll() {
    let ready = jobs.withLock { jobs in
      defer { jobs = [] }
      return jobs
    }
    for job in ready { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
