import AsyncSockets

/// One run of one check of a listener.
struct ListenerProbe: ContractProbe {
  let listener: any ListenerEnd
  let connect: @Sendable () async throws -> Connection
  let time: VerifierTime
  let trail: Trail
  /// What the loop held before.
  let before: EventLoop.Census

  private func accept(_ what: String = "an accept") async throws -> Connection {
    trail.note(what)
    return try await listener.accept(on: time.loop, options: ConnectionOptions())
  }

  private func connected(sending bytes: [UInt8]) async throws -> Connection {
    trail.note("connecting")
    let client = try await connect()
    try await client.send(bytes)
    return client
  }

  /// Accepts the connection whose client has sent these bytes.
  private func expectConnection(sending bytes: [UInt8], _ what: String) async throws {
    let server = try await accept(what)
    defer { server.abort() }
    trail.note("\(what): its bytes")
    try expectEqual(try await server.read(exactly: bytes.count) ?? [], bytes, what)
  }

  /// Starts an accept, lets it wait, and does something meanwhile.
  private func outcome(
    isCancelled: Bool = false, meanwhile: () async throws -> Void = {}
  ) async throws -> Result<Connection, any Error> {
    let attempt = Attempt<Connection>()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await attempt.run { try await accept() } }
      try await time.settle()
      do {
        try await meanwhile()
      } catch {
        group.cancelAll()
        throw error
      }
      if isCancelled { group.cancelAll() }
      trail.note("an accept that waits")
      try await group.waitForAll()
      return try attempt.outcome()
    }
  }

  func backlog() async throws {
    var clients: [Connection] = []
    defer { clients.forEach { $0.abort() } }
    for number in 0..<5 {
      let client = try await connected(sending: [UInt8(number), 10, 20])
      clients.append(client)
      try await client.finishWriting()
    }
    for number in 0..<5 {
      try await expectConnection(
        sending: [UInt8(number), 10, 20], "connection \(number + 1) of 5 in the queue")
    }
  }

  func waits() async throws {
    var client: Connection?
    defer { client?.abort() }
    let result = try await outcome {
      try await time.pass(.seconds(60))
      client = try await connected(sending: [])
    }
    try result.get().abort()
  }

  func cancelledAccept() async throws {
    let result = try await outcome(isCancelled: true)
    try await expectFailure("an accept that is cancelled", "CancellationError", { $0 is CancellationError }) {
      try result.get()
    }
    // With a connection that comes at the same moment.
    for number in 0..<16 {
      var client: Connection?
      defer { client?.abort() }
      let result = try await outcome(isCancelled: true) {
        client = try await connected(sending: [UInt8(number)])
      }
      let server: Connection
      switch result {
      case .success(let accepted): server = accepted
      case .failure: server = try await accept("an accept after one that was cancelled")
      }
      defer { server.abort() }
      trail.note("the byte of a connection that came with a cancellation")
      try expectEqual(try await server.read(exactly: 1) ?? [], [UInt8(number)], "the connection that came")
    }
  }

  func cancelledBefore() async throws {
    let client = try await connected(sending: [1])
    defer { client.abort() }
    let result = try await withThrowingTaskGroup(of: Void.self) { group in
      let attempt = Attempt<Connection>()
      group.cancelAll()
      group.addTask { await attempt.run { try await accept("an accept of a task that is cancelled") } }
      try await group.waitForAll()
      return try attempt.outcome()
    }
    try await expectFailure(
      "an accept of a task that is cancelled", "CancellationError", { $0 is CancellationError }
    ) { try result.get() }
    try await expectConnection(sending: [1], "the next accept")
  }

  func secondAcceptor() async throws {
    var client: Connection?
    defer { client?.abort() }
    let result = try await outcome {
      try await expectFailure(
        "the second that accepts", "SocketError.busy", { ($0 as? SocketError)?.isBusy == true }
      ) { try await accept() }
      client = try await connected(sending: [1])
    }
    try result.get().abort()
  }

  func badOptions() async throws {
    let client = try await connected(sending: [1])
    defer { client.abort() }
    var options = ConnectionOptions()
    options.limits.idle = .zero
    try await expectFailure(
      "an accept with an idle limit of 0 s", "SocketError.invalid",
      { if case .invalid? = $0 as? SocketError { true } else { false } }
    ) { [options] in try await listener.accept(on: time.loop, options: options).abort() }
    try await expectConnection(sending: [1], "the next accept")
  }

  func closeWakes() async throws {
    let result = try await outcome { listener.close() }
    try await expectClosed("an accept that waits during the close") { try result.get() }
  }

  func acceptAfterClose() async throws {
    listener.close()
    listener.close()
    try await expectClosed("an accept after the close") { try await accept() }
  }

  func closeRefuses() async throws {
    listener.close()
    try await expectFailure("a connect after the close", "an error", { $0 is SocketError }) {
      let client = try await connected(sending: [1])
      client.abort()
    }
  }

  func closeKeepsAccepted() async throws {
    let client = try await connected(sending: [])
    defer { client.abort() }
    let server = try await accept()
    defer { server.abort() }
    listener.close()
    try await server.send([1])
    trail.note("a byte from a connection whose listener is closed")
    try expectEqual(try await client.read(exactly: 1) ?? [], [1], "a byte after the close")
  }

  func closeEndsQueued() async throws {
    let client = try await connected(sending: [])
    defer { client.abort() }
    listener.close()
    trail.note("the end of a connection that nobody accepted")
    do {
      let chunk = try await client.read()
      try expect(chunk == nil, "the end, or a reset", "\(chunk?.count ?? 0) bytes")
    } catch is SocketError {}
  }

  func nothingLeft() async throws {
    let client = try await connected(sending: [1])
    try await accept().abort()
    client.abort()
    listener.close()
    try await time.settle()
    try await until("the loop holds as little as before") {
      let census = time.loop.census
      trail.note("the loop holds \(census), and held \(before)")
      return census.registrations <= before.registrations && census.deadlines <= before.deadlines
    }
  }
}
