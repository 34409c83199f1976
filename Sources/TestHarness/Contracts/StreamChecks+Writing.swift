import AsyncSockets

extension StreamProbe {
  private static var senders: Int { 4 }
  private static var messages: Int { 6 }

  /// A message that says whose it is, which one, and how long.
  private func message(_ sender: Int, _ number: Int) -> (header: [UInt8], body: [UInt8]) {
    let size = [1, 13, setup.bulk / 100, setup.bulk / 4][(sender + number) % 4]
    let header = [UInt8(sender), UInt8(number)] + (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
    return (header, [UInt8](repeating: UInt8(sender * 16 + number), count: size))
  }

  private func concurrentSends(
    _ send: @escaping @Sendable (_ header: [UInt8], _ body: [UInt8]) async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      for sender in 0..<Self.senders {
        group.addTask {
          for number in 0..<Self.messages {
            let message = message(sender, number)
            try await send(message.header, message.body)
          }
        }
      }
      var next = [Int](repeating: 0, count: Self.senders)
      for _ in 0..<(Self.senders * Self.messages) {
        let header = try await read(6, from: far, "the header of a message")
        let sender = Int(header[0])
        let isNext = sender < Self.senders && next[sender] == Int(header[1])
        let expected = isNext ? message(sender, next[sender]) : nil
        try expect(
          header == expected?.header, "the header of some sender's next message", "\(HexText(header))")
        next[sender] += 1
        let body = try await read(expected?.body.count ?? 0, from: far, "the body of a message")
        try expectEqual(body, expected?.body ?? [], "message \(header[1]) of sender \(sender)")
      }
      try await group.waitForAll()
    }
  }

  func atomicSends() async throws {
    try await concurrentSends { [near] in try await near.send($0 + $1) }
  }

  func gatheredSends() async throws {
    try await concurrentSends { [near] in try await near.send(contentsOf: [$0, [], $1]) }
  }

  func turns() async throws {
    let backlog = try await fill(near)
    let order = (0..<5).map { UInt8($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in order {
        group.addTask { [near] in try await near.send([number, number, number]) }
        try await until("sender \(number) waits its turn") {
          near.waits.count { $0 == .send } == Int(number) + 1 || !isUnderPressure(backlog)
        }
        try expectPressure(backlog)
      }
      _ = try await read(backlog.sent, from: far, "what was queued")
      let received = try await read(15, from: far, "what those sent who waited")
      try expectEqual(received, order.flatMap { [$0, $0, $0] }, "messages in the order of their senders")
      try await group.waitForAll()
    }
  }

  func cancelledTurn() async throws {
    let backlog = try await fill(near)
    let accepted = near.counters.bytesAccepted
    let result = try await outcome("a send", waitingIn: .send, of: near, isCancelled: true) { [near] in
      try await near.send([UInt8](repeating: 0xEE, count: 100))
    }
    try expectPressure(backlog)
    try await expectFailure("a send that is cancelled", "CancellationError", { $0 is CancellationError }) {
      try result.get()
    }
    try expect(
      near.counters.bytesAccepted == accepted, "no byte accepted of a send that was cancelled",
      "\(near.counters.bytesAccepted) bytes accepted, not \(accepted)")
    let received = try await read(backlog.sent, from: far, "what was queued")
    try expectEqual(received, Pattern.bytes(backlog.sent), "what was queued")
    try await near.send([1, 2, 3])
    try expectEqual(try await read(3, from: far, "the next message"), [1, 2, 3], "the next message")
  }

  func cancelledAcceptance() async throws {
    let backlog = try await fill(near)
    if case .failure(let error) = backlog.lastSend {
      throw Mismatch(expected: "a send that is cancelled once it is accepted returns", got: "\(error)")
    }
    let received = try await read(backlog.sent, from: far, "what was accepted")
    try expectEqual(received, Pattern.bytes(backlog.sent), "what was accepted")
  }

  func highMark() async throws {
    let marks = setup.watermarks
    let backlog = try await fill(near)
    let most = marks.high + max(1, marks.high / 4) - 1
    try expect(
      (marks.high...most).contains(near.queued), "\(marks.high) to \(most) bytes queued when senders wait",
      "\(near.queued)")
    let queued = near.queued
    let result = try await outcome("a send", waitingIn: .send, of: near, isCancelled: true) { [near] in
      try await near.send(Pattern.bytes(1000))
    } meanwhile: {
      try await time.settle()
      try expectPressure(backlog)
      try expect(near.queued <= queued, "no more queued while a sender waits its turn", "\(near.queued)")
    }
    _ = result
  }

  func lowMark() async throws {
    let marks = setup.watermarks
    let backlog = try await fill(near)
    let accepted = near.counters.bytesAccepted
    let isThrough: @Sendable () -> Bool = { [near] in near.counters.bytesAccepted > accepted }
    let result = try await outcome("a send", waitingIn: .send, of: near) { [near] in
      try await near.send([1])
    } meanwhile: {
      try expectPressure(backlog)
      let step = max(1, marks.low / 8, backlog.sent / 64)
      var left = backlog.sent
      while !isThrough(), left > 0 {
        left -= try await read(min(step, left), from: far, "what was queued").count
        try await time.settle()
        try expect(
          !isThrough() || near.queued <= marks.low + 1, "a sender that waits for \(marks.low) queued bytes",
          "one that went on at \(near.queued - 1)")
        let queued = near.queued
        if queued <= marks.low {
          try await until(
            "a sender goes on with \(queued) bytes queued, at the low mark of \(marks.low)", isThrough)
        }
      }
    }
    try result.get()
  }

  func flush() async throws {
    let backlog = try await fill(near)
    let result = try await outcome("a flush", waitingIn: .flush, of: near) { [near] in
      try await near.flush()
      return near.queued
    } meanwhile: {
      try await time.settle()
      _ = try await read(backlog.sent, from: far, "what was queued")
    }
    let queued = try result.get()
    try expect(queued == 0, "nothing queued when a flush returns", "\(queued) bytes")
    trail.note("a flush of nothing")
    try await near.flush()
  }

  func writeStall() async throws {
    guard let limit = setup.writeStallLimit else { return }
    let backlog = try await fill(near)
    try await time.pass(limit + .seconds(1))
    try await until("the write stall limit ends the connection") {
      near.closeReason != nil || !isUnderPressure(backlog)
    }
    try expectPressure(backlog)
    try expectReason(near, .limit(.writeStall))
    try await expectFailure(
      "a send after that", "SocketError.limit(.writeStall)",
      { $0 as? SocketError == .limit(.writeStall) }
    ) { try await near.send([1]) }
  }
}
