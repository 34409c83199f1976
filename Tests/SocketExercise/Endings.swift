import AsyncSockets
import Glibc
import TestHarness

/// Connections of every ending, after which the process holds what it held before.
enum Endings: CaseIterable {
  case closedHere, closedThere, abortedHere, reset, inputUnread, cancelledRead, cancelledWrite, timedOut, idle
  case halfClosedHere, halfClosedThere, leftByError

  private struct Trouble: Error {}

  static func run(count: Int) async throws {
    // At first use the runtime takes some descriptors and threads for good.
    try await connections(count: 3 * allCases.count)
    let before = (descriptors: descriptors(), threads: ResourceAudit.threadCount())
    try await connections(count: count)
    try await eventually("descriptors: \(before.descriptors) before, \(descriptors()) after") {
      descriptors() <= before.descriptors
    }
    try await eventually("threads: \(before.threads) before, \(ResourceAudit.threadCount()) after") {
      ResourceAudit.threadCount() <= before.threads
    }
    SocketExercise.say("\(count) connections, nothing left")
  }

  /// All but the timers of the runtime, which opens them when it likes; the library has none.
  private static func descriptors() -> Int {
    ResourceAudit.openDescriptors().count { $0.target != "anon_inode:[timerfd]" }
  }

  private static func connections(count: Int) async throws {
    try await withAuditedLoops(count: 2) { loops in
      let path = "/tmp/asyncsockets-exercise-\(getpid()).sock"
      let addresses: [SocketAddress] = [.loopback(), .loopback6(), .unix(path: path)]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (number, address) in addresses.enumerated() {
          // On its loop, on another, on none.
          let executor = number == 2 ? nil : loops.loops[number].executor
          group.addTask(executorPreference: executor) {
            let source = try Pair.Source(address, on: loops.loops[0])
            defer { source.close() }
            for round in 0..<(count / addresses.count) {
              try await allCases[round % allCases.count].take(source)
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  private func take(_ source: Pair.Source) async throws {
    var options = ConnectionOptions()
    if self == .idle { options.limits.idle = .milliseconds(1) }
    // So that a writer soon has to wait.
    if self == .cancelledWrite { options.socketOptions = [.sendBuffer(4096)] }
    let pair = try await source.next(options: options)
    defer { pair.abort() }
    let (ours, theirs) = (pair.ours, pair.theirs)
    switch self {
    case .closedHere:
      async let closed: Void = ours.close()
      try await require(theirs.read() == nil, "an end")
      await theirs.close()
      await closed
    case .closedThere:
      async let closed: Void = theirs.close()
      for try await _ in ours.inbound {}
      await ours.close()
      await closed
    case .abortedHere:
      try await ours.send("lost")
      ours.abort()
      await theirs.close()
    case .reset:
      try await theirs.send("seen")
      try await theirs.flush()
      theirs.abort()
      do { for try await _ in ours.inbound {} } catch is SocketError {}
      await ours.close()
    case .inputUnread:
      try await theirs.send("unread")
      async let closed: Void = theirs.close()
      await ours.close()
      await closed
    case .cancelledRead: try await cancelled { _ = try await ours.read() }
    case .cancelledWrite:
      try await cancelled { while true { try await ours.send(Array(repeating: 0, count: 100_000)) } }
    case .timedOut:
      do {
        _ = try await ours.read(deadline: .after(.milliseconds(1)))
        throw Failure("a read outlived its deadline")
      } catch SocketError.timedOut {}
      ours.abort()
      await theirs.close()
    case .idle:
      do {
        _ = try await ours.read()
        throw Failure("a read outlived the idle limit")
      } catch SocketError.limit {}
    case .halfClosedHere:
      try await ours.send("request")
      async let finished: Void = ours.finishWriting()
      var request: [UInt8] = []
      for try await chunk in theirs.inbound { request += chunk }
      try await finished
      try await theirs.send(request)
      await theirs.close()
      var reply: [UInt8] = []
      for try await chunk in ours.inbound { reply += chunk }
      try require(reply == Array("request".utf8), "the reply is \(reply)")
      await ours.close()
    case .halfClosedThere:
      try await theirs.finishWriting()
      try await require(ours.read() == nil, "an end")
      try await ours.send("still here")
      await ours.close()
      try await require(theirs.read() != nil, "what was sent after the end")
    case .leftByError:
      async let left: Void = Self.leave(theirs)
      for try await _ in ours.inbound {}
      await ours.close()
      await left
    }
  }

  private static func leave(_ connection: Connection) async {
    try? await connection.send("bye")
    await connection.close(after: Trouble())
  }

  /// Cancels `body` once the loop has gone round.
  private func cancelled(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        do {
          try await body()
          throw Failure("not cancelled")
        } catch is CancellationError {}
      }
      for _ in 0..<3 { await Task.yield() }
      group.cancelAll()
      try await group.waitForAll()
    }
  }
}
