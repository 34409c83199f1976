import AsyncSockets

extension StreamProbe {
  func resetWakes() async throws {
    let result = try await outcome("a read", waitingIn: .read, of: near) { [near] in
      try await near.read()
    } meanwhile: {
      far.abort()
    }
    try await expectReset("a read that waits during a reset") { try result.get() }
    try expectReason(near, .reset)
  }

  private func expectLastingReset() async throws {
    for round in 1...3 {
      try await expectReset("read \(round) after the reset") { try await near.read() }
      try await expectReset("send \(round) after the reset") { try await near.send([1]) }
      try await expectReset("flush \(round) after the reset") { try await near.flush() }
      try await expectReset("end \(round) after the reset") { try await near.finishWriting() }
    }
    try expectReason(near, .reset)
  }

  func resetLasts() async throws {
    far.abort()
    try await expectReset("the first read after a reset") { try await near.read() }
    try await expectLastingReset()
  }

  func resetSeenByWriter() async throws {
    far.abort()
    try await time.settle()
    try await expectReset("the first write after a reset") {
      try await near.send([1])
      try await near.flush()
    }
    try await expectLastingReset()
  }

  func dataBeforeReset() async throws {
    let bytes = Pattern.bytes(60)
    try await far.send(bytes)
    trail.note("flushing 60 bytes")
    try await far.flush()
    far.abort()
    try expectEqual(try await read(60, from: near, "what came before the reset"), bytes, "what came before")
    try await expectReset("the read after that") { try await near.read() }
  }

  func lostOutput() async throws {
    let operations: [(String, @Sendable (any StreamEnd) async throws -> Void)] = [
      ("send", { try await $0.send([1]) }), ("flush", { try await $0.flush() }),
      ("read", { _ = try await $0.read() }), ("end", { try await $0.finishWriting() }),
    ]
    for (name, operation) in operations {
      try await again { probe in
        _ = try await probe.fill(probe.near)
        probe.far.abort()
        try await time.settle()
        try await expectReset("a \(name) after output was lost") { try await operation(probe.near) }
        try expectReason(probe.near, .reset)
      }
    }
  }
}
