import AsyncSockets

extension StreamProbe {
  func pullDriven() async throws {
    let bytes = Pattern.bytes(100)
    let start = near.counters.bytesRead
    try await far.send(bytes)
    trail.note("flushing 100 bytes")
    try await far.flush()
    try await time.settle()
    try expect(
      near.counters.bytesRead == start, "no byte read before somebody asks",
      "\(near.counters.bytesRead - start)")
    var received = try await read(10, from: near, "a read of 10 bytes")
    try expect(
      near.counters.bytesRead == start + 10, "10 bytes read for a reader that asked for 10",
      "\(near.counters.bytesRead - start)")
    received += try await read(90, from: near, "the rest")
    try expectEqual(received, bytes, "what was sent")
  }

  func backPressure() async throws {
    let backlog = try await fill(far, most: setup.mostBuffered)
    let received = try await read(backlog.sent, from: near, "what was sent under pressure")
    try expectEqual(received, Pattern.bytes(backlog.sent), "what was sent under pressure")
    trail.note("flushing when all is read")
    try await far.flush()
  }

  func chunks() async throws {
    let bytes = (0...255).map { UInt8($0) }
    var received: [UInt8] = []
    var limit = 1
    try await sending(bytes, to: far) {
      while received.count < bytes.count {
        trail.note("a read of at most \(limit)")
        let chunk = try await near.read(atMost: limit, deadline: .never)
        let count = chunk?.count ?? 0
        try expect(
          (1...limit).contains(count), "1 to \(limit) bytes", chunk.map { "\($0.count)" } ?? "the end")
        received += chunk ?? []
        limit = limit % 7 + 1
      }
    }
    try expectEqual(received, bytes, "all values of a byte")
  }

  func conversation(rounds: Int = 50) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [far] in
        for round in 0..<rounds {
          let size = round % 5 + 1
          var echo: [UInt8] = []
          while echo.count < size, let chunk = try await far.read(atMost: size - echo.count, deadline: .never)
          {
            echo += chunk
          }
          try await far.send(echo)
        }
      }
      for round in 0..<rounds {
        let question = Pattern.bytes(round % 5 + 1, from: round)
        try await near.send(question)
        let answer = try await read(question.count, from: near, "the echo of round \(round)")
        try expectEqual(answer, question, "the echo of round \(round)")
      }
      try await group.waitForAll()
    }
  }

  func wholeStream(count: Int) async throws {
    let (one, other) = (Pattern.bytes(count), Pattern.bytes(count, from: 1000))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await send(one, to: near) }
      group.addTask { try await send(other, to: far) }
      group.addTask {
        try expectEqual(
          try await read(one.count, from: far, "the far end"), one, "what was sent to the far end")
      }
      group.addTask {
        try expectEqual(try await read(other.count, from: near, "the near end"), other, "what was sent")
      }
      try await group.waitForAll()
    }
  }

  func cancelledRead() async throws {
    for round in 0..<4 {
      let result = try await outcome("a read", waitingIn: .read, of: near, isCancelled: true) { [near] in
        try await near.read()
      }
      try await expectFailure("a read that is cancelled", "CancellationError", { $0 is CancellationError }) {
        try result.get()
      }
      let bytes = Pattern.bytes(20, from: round)
      try await far.send(bytes)
      try expectEqual(try await read(20, from: near, "a read after that"), bytes, "what came later")
    }
    // At the same moment.
    for round in 0..<8 {
      let bytes = Pattern.bytes(5, from: round)
      let result = try await outcome("a read", waitingIn: .read, of: near, isCancelled: true) { [near] in
        try await near.read()
      } meanwhile: {
        try await far.send(bytes)
        if round % 2 == 0 { try await far.flush() }
      }
      var received: [UInt8] = []
      if case .success(let chunk?) = result { received = chunk }
      received += try await read(5 - received.count, from: near, "what a cancelled read left")
      try expectEqual(received, bytes, "what came while a read was cancelled")
    }
  }

  func timedOutRead() async throws {
    let result = try await outcome("a read with a deadline", waitingIn: .read, of: near) { [near] in
      try await near.read(deadline: .after(.seconds(5)))
    } meanwhile: {
      try await time.pass(.seconds(6))
    }
    try await expectFailure(
      "a read at its deadline", "SocketError.timedOut", { ($0 as? SocketError)?.isTimedOut == true }
    ) { try result.get() }
    let bytes = Pattern.bytes(20)
    try await far.send(bytes)
    try expectEqual(try await read(20, from: near, "a read after that"), bytes, "what came later")
  }

  func pastDeadline() async throws {
    let bytes = Pattern.bytes(20)
    let start = near.counters.bytesRead
    try await far.send(bytes)
    trail.note("flushing 20 bytes")
    try await far.flush()
    try await time.settle()
    for deadline in [
      Deadline.at(time.loop.now.advanced(by: .seconds(-1))), .after(.zero), .after(.seconds(-1)),
    ] {
      try await expectFailure(
        "a read whose deadline is past", "SocketError.timedOut",
        { ($0 as? SocketError)?.isTimedOut == true }
      ) { try await near.read(deadline: deadline) }
    }
    try expect(near.counters.bytesRead == start, "no byte read", "\(near.counters.bytesRead - start)")
    try expectEqual(try await read(20, from: near, "a read after that"), bytes, "what was there")
  }

  func secondReader() async throws {
    let result = try await outcome("the first reader", waitingIn: .read, of: near) { [near] in
      try await near.read()
    } meanwhile: {
      try await expectFailure(
        "the second reader", "SocketError.busy", { ($0 as? SocketError)?.isBusy == true }
      ) { try await near.read(deadline: .after(.seconds(5))) }
      try await far.send([7])
    }
    try expectEqual(try result.get() ?? [], [7], "what came for the first reader")
  }

  func endOfStream() async throws {
    let bytes = Pattern.bytes(1000)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [far, setup] in
        try await far.send(bytes)
        if setup.capabilities.contains(.halfClose) {
          try await far.finishWriting()
        } else {
          await far.close()
        }
      }
      try expectEqual(try await readToEnd(near, "the stream"), bytes, "what was sent before the end")
      for round in 1...3 {
        trail.note("read \(round) after the end")
        let chunk = try await near.read()
        try expect(chunk == nil, "nil after the end", "\(chunk?.count ?? 0) bytes")
      }
      if !setup.capabilities.contains(.halfClose) { near.abort() }
      try await group.waitForAll()
    }
  }

  func sendAfterEnd() async throws {
    let bytes = Pattern.bytes(setup.bulk)
    try await far.finishWriting()
    try expectEqual(try await readToEnd(near, "an empty stream"), [], "nothing before the end")
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await send(bytes, to: near)
        try await near.finishWriting()
      }
      try expectEqual(try await readToEnd(far, "the reply"), bytes, "what was sent after the peer's end")
      try await group.waitForAll()
    }
  }
}
