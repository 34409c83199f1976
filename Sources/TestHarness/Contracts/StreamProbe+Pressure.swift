import AsyncSockets

extension StreamProbe {
  /// Output of one end that its peer does not take.
  struct Backlog {
    /// How many bytes were accepted, those that the transport took included.
    var sent: Int
    /// How many bytes the end had written by then.
    var written: UInt64
    /// What came of the send that waited above the high mark, once it was cancelled.
    var lastSend: Result<Void, any Error>
  }

  /// Sends until the output stands at the high mark, and nobody takes any of it.
  func fill(_ end: any StreamEnd, most: Int? = nil) async throws -> Backlog {
    let most = most ?? 4 * setup.mostBuffered
    let start = Int(end.counters.bytesAccepted)
    let piece = max(1, setup.watermarks.high / 4)
    while true {
      let sent = max(0, Int(end.counters.bytesAccepted) - start)
      trail.note("sending until it has to wait; \(sent) bytes are sent")
      let bytes = Pattern.bytes(piece, from: sent)
      let result = try await stuck {
        try await end.send(bytes)
      } when: {
        end.queued
      }
      guard let result else {
        try expect(
          sent < most, "a send that has to wait, sooner or later",
          "\(sent) bytes taken, though nobody reads them")
        continue
      }
      if end.queued >= setup.watermarks.high {
        return Backlog(
          sent: Int(end.counters.bytesAccepted) - start, written: end.counters.bytesWritten, lastSend: result)
      }
    }
  }

  /// What waits for room is no longer sure to wait: the transport has found more (TCP does, when a timer says so).
  struct PressureGaveWay: Error {}

  /// Tells whether the transport has taken nothing since, though nobody has read.
  func isUnderPressure(_ backlog: Backlog) -> Bool { near.counters.bytesWritten == backlog.written }

  func expectPressure(_ backlog: Backlog) throws(PressureGaveWay) {
    if !isUnderPressure(backlog) { throw PressureGaveWay() }
  }

  /// Cancels an operation once it waits and nothing moves any more; `nil` if it returns by itself.
  func stuck(
    _ operation: @escaping @Sendable () async throws -> Void, when progress: () -> Int
  ) async throws -> Result<Void, any Error>? {
    let attempt = Attempt<Void>()
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await attempt.run(operation) }
      var last: Int?
      while !attempt.isDone, progress() != last {
        last = progress()
        try await time.settle { attempt.isDone }
      }
      let wasDone = attempt.isDone
      group.cancelAll()
      try await group.waitForAll()
      let outcome = try attempt.outcome()
      if !wasDone { return outcome }
      try outcome.get()
      return nil
    }
  }

  /// Sends, which may have to wait for a reader, and does something meanwhile.
  func sending(
    _ bytes: [UInt8], to end: any StreamEnd, meanwhile: () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await end.send(bytes) }
      try await meanwhile()
      trail.note("a send whose bytes have been read")
      try await group.waitForAll()
    }
  }

  /// Sends in pieces of all sizes.
  func send(_ bytes: [UInt8], to end: any StreamEnd) async throws {
    var start = 0
    var size = 1
    while start < bytes.count {
      let stop = min(bytes.count, start + size)
      try await end.send(Array(bytes[start..<stop]))
      start = stop
      size = size * 3 % 70_001
    }
  }
}
