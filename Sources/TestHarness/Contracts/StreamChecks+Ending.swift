import AsyncSockets

extension StreamProbe {
  func halfClose() async throws {
    try await near.send([1])
    try await near.finishWriting()
    try await expectFailure(
      "a send after the end", "SocketError.finishedWriting", { $0 as? SocketError == .finishedWriting }
    ) { try await near.send([2]) }
    try expectEqual(try await readToEnd(far, "the first stream"), [1], "what was sent before the end")
    let reply = Pattern.bytes(1000)
    try await sending(reply, to: far) {
      let received = try await read(1000, from: near, "the other direction")
      try expectEqual(received, reply, "what was sent the other way")
    }
    try await far.finishWriting()
    try expectEqual(try await readToEnd(near, "the second stream"), [], "the end of the other direction")
  }

  func endFollowsOutput() async throws {
    let backlog = try await fill(near)
    let result = try await outcome(
      "the end of the stream", waitingIn: .finish, of: near, isCancelled: true
    ) { [near] in
      try await near.finishWriting()
    }
    try expectPressure(backlog)
    try await expectFailure("an end that is cancelled", "CancellationError", { $0 is CancellationError }) {
      try result.get()
    }
    let received = try await readToEnd(far, "what was queued, and the end")
    try expectEqual(received, Pattern.bytes(backlog.sent), "what was queued before the end")
  }

  func closeDelivers() async throws {
    let bytes = Pattern.bytes(setup.bulk)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await send(bytes, to: near)
        await near.close()
      }
      try expectEqual(try await readToEnd(far, "what was sent before the close"), bytes, "what was sent")
      trail.note("closing the far end")
      await far.close()
      trail.note("closing the near end")
      try await group.waitForAll()
    }
    try expectReason(near, .closed)
    try expectReason(far, .closedByPeer)
  }

  /// Closes, and does something while the close waits for the peer's end.
  private func closing(closes: Int = 1, _ meanwhile: (_ isDone: () -> Bool) async throws -> Void) async throws
  {
    let start = time.loop.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      let attempts = (0..<closes).map { _ in Attempt<Void>() }
      for attempt in attempts {
        group.addTask { [near] in await attempt.run { await near.close() } }
        try await until("a close waits for the peer") { near.waits.contains(.close) || attempt.isDone }
      }
      try await time.settle()
      try await meanwhile {
        // Past the second that a close may wait, it is over by right.
        attempts.contains(where: \.isDone) && start.duration(to: time.loop.now) < .milliseconds(900)
      }
      trail.note("a close")
      try await group.waitForAll()
    }
  }

  func closeWaits() async throws {
    try await near.send([1])
    _ = try await read(1, from: far, "a byte before the close")
    try await closing { isDone in
      try expect(!isDone(), "a close that waits for the peer's end", "one that has returned")
      trail.note("closing the far end")
      await far.close()
    }
  }

  func closeLimit() async throws {
    try await closing { _ in try await time.pass(.milliseconds(1_100)) }
    try expectReason(near, .closed)
  }

  func closeDiscards() async throws {
    let reply = Pattern.bytes(setup.bulk)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [far] in try await far.send(Pattern.bytes(10_000)) }
      try await until("there is input") { far.counters.bytesWritten > 0 }
      group.addTask {
        try await send(reply, to: near)
        await near.close()
      }
      try expectEqual(try await readToEnd(far, "the reply"), reply, "the reply")
      trail.note("closing the far end")
      await far.close()
      try await group.waitForAll()
    }
  }

  func closeWakes() async throws {
    func closes(
      _ end: any StreamEnd, _ what: String, in wait: Connection.Wait,
      _ operation: @escaping @Sendable () async throws -> Void
    ) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        let result = try await outcome(what, waitingIn: wait, of: end, operation) {
          group.addTask { await end.close() }
        }
        end.abort()
        if case .failure(let error as PressureGaveWay) = result { throw error }
        try await expectClosed(what) { try result.get() }
        try await group.waitForAll()
      }
    }
    try await closes(near, "a read that a close ends", in: .read) { [near] in _ = try await near.read() }
    try await again { probe in
      let backlog = try await probe.fill(probe.near)
      try await closes(probe.near, "a send that a close ends", in: .send) {
        try await probe.near.send([1])
        try probe.expectPressure(backlog)
      }
    }
  }

  func closeIdempotent() async throws {
    try await closing(closes: 2) { isDone in
      try expect(!isDone(), "closes that return when the first is done", "one that has returned before")
      await far.close()
    }
    trail.note("a third close")
    await near.close()
    try await expectClosed("a read after the close") { try await near.read() }
    try await expectClosed("a send after the close") { try await near.send([1]) }
    try await expectClosed("a flush after the close") { try await near.flush() }
    try await expectClosed("an end after the close") { try await near.finishWriting() }
  }

  func abort() async throws {
    let backlog = try await fill(near)
    try expectPressure(backlog)
    near.abort()
    try expectReason(near, .aborted)
    try await expectClosed("a read after the abort") { try await near.read() }
    try await expectClosed("a send after the abort") { try await near.send([1]) }
    try await expectCutOff(sent: backlog.sent)
  }

  /// The far end hears that the near one is gone, after a part of what was sent.
  private func expectCutOff(sent: Int) async throws {
    var count = 0
    do {
      trail.note("reading what came before the cut")
      while let chunk = try await far.read() { count += chunk.count }
      try expect(
        !setup.capabilities.contains(.reset), "SocketError.reset at the far end", "the end of the stream")
    } catch let error as SocketError where error.isReset || !setup.capabilities.contains(.reset) {}
    try expect(count < sent, "a part of \(sent) bytes: what is queued is dropped", "\(count) bytes")
  }

  func scopeError() async throws {
    struct HandlerFailed: Error {}
    try await withThrowingTaskGroup(of: Void.self) { group in
      let backlog = try await fill(near)
      group.addTask { [near] in await near.close(after: HandlerFailed()) }
      try await until("the connection is closing") { near.closeReason != nil }
      try await time.pass(.milliseconds(1_100))
      trail.note("leaving the scope by an error, a second after")
      try await group.waitForAll()
      try expectReason(near, .handlerThrew("\(HandlerFailed())"))
      try expectPressure(backlog)
      try await expectCutOff(sent: backlog.sent)
    }
    try await again { probe in
      let bytes = Pattern.bytes(1000)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          try await probe.near.send(bytes)
          await probe.near.close(after: CancellationError())
        }
        let received = try await probe.read(1000, from: probe.far, "what was sent before the scope was left")
        try expectEqual(received, bytes, "what was sent before the scope was left")
        probe.far.abort()
        try await group.waitForAll()
      }
      try expectReason(probe.near, .cancelled)
    }
  }

  func oneReason() async throws {
    try expectReason(near, nil)
    near.abort()
    await near.close()
    await near.close(after: CancellationError())
    try expectReason(near, .aborted)
    try await again { probe in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<9 {
          group.addTask {
            switch number % 3 {
            case 0: await probe.near.close()
            case 1: await probe.near.close(after: CancellationError())
            default: probe.near.abort()
            }
          }
        }
        try await group.waitForAll()
      }
      let first = probe.near.closeReason
      try expect(first != nil, "a close reason", "none")
      probe.near.abort()
      await probe.near.close()
      try expectReason(probe.near, first)
    }
  }

  func drain() async throws {
    let (bytes, late) = (Pattern.bytes(60), Pattern.bytes(5000))
    try await far.send(bytes)
    trail.note("flushing 60 bytes")
    try await far.flush()
    try await time.settle()
    near.beginDrain()
    try await withThrowingTaskGroup(of: Void.self) { group in
      // Not all of it may find room.
      group.addTask { [far] in try? await far.send(late) }
      try await until("later bytes are under way") { far.counters.bytesAccepted >= 60 + 5000 }
      let received = try await readToEnd(near, "what had arrived, and the end")
      try expectEqual(Array(received.prefix(60)), bytes, "what had arrived before the drain")
      try expect(received.count < 60 + 5000, "the end of the input", "all that came later, too")
      try await near.send([1, 2, 3])
      try expectEqual(
        try await read(3, from: far, "output during the drain"), [1, 2, 3], "output during the drain")
      near.abort()
      far.abort()
      try await group.waitForAll()
    }
  }
}
