import Glibc
import Testing

@testable import AsyncSockets

@Suite("Small policies")
struct PolicyTests {
  @Test(
    "An accept error that concerns one connection or the network is tried again (P11)",
    arguments: [
      ECONNABORTED, EPROTO, ENOPROTOOPT, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET, EOPNOTSUPP,
      ETIMEDOUT, EPERM, EINTR, ECONNRESET,
    ])
  func acceptRetries(errno: Int32) {
    #expect(AcceptPolicy.verdict(on: Errno(errno)) == .retry)
  }

  @Test(
    "An accept error that tells of a shortage is waited out (P11)",
    arguments: [EMFILE, ENFILE, ENOBUFS, ENOMEM])
  func acceptPauses(errno: Int32) {
    #expect(AcceptPolicy.verdict(on: Errno(errno)) == .pause)
  }

  @Test(
    "An accept error that no retry can mend ends the listener (P11)", arguments: [EBADF, EINVAL, ENOTSOCK])
  func acceptEnds(errno: Int32) {
    #expect(AcceptPolicy.verdict(on: Errno(errno)) == .fatal)
  }

  @Test("A shortage is given 100 ms (P09)")
  func acceptPause() {
    #expect(AcceptPolicy.pause == .milliseconds(100))
  }

  @Test("A turn's share of reading is 64 frames, 16 reads or 256 KiB")
  func readBudget() {
    var frames = ReadBudget()
    for _ in 0..<63 { frames.takeFrame() }
    #expect(!frames.isSpent)
    frames.takeFrame()
    #expect(frames.isSpent)

    var reads = ReadBudget()
    for _ in 0..<15 { reads.takeRead(1) }
    #expect(!reads.isSpent)
    reads.takeRead(1)
    #expect(reads.isSpent)

    var bytes = ReadBudget()
    for _ in 0..<3 { bytes.takeRead(65_536) }
    bytes.takeRead(65_535)
    #expect(!bytes.isSpent)
    bytes.takeRead(1)
    #expect(bytes.isSpent)

    bytes.refill()
    #expect(!bytes.isSpent)
  }

  @Test(
    "Limits of a connection must be positive", arguments: [Duration.zero, .seconds(-1), .nanoseconds(-1)])
  func badLimits(limit: Duration) {
    var idle = ConnectionOptions()
    idle.limits.idle = limit
    #expect(
      throws: SocketError.invalid("limits.idle must be positive, not \(limit.exactly); nil turns it off")
    ) {
      try idle.validate()
    }
    var stall = ConnectionOptions()
    stall.limits.writeStall = limit
    #expect(
      throws: SocketError.invalid(
        "limits.writeStall must be positive, not \(limit.exactly); nil turns it off")
    ) {
      try stall.validate()
    }
  }

  @Test("Limits of a connection may be off, or short")
  func goodLimits() throws {
    var options = ConnectionOptions()
    #expect(options.limits.writeStall == .seconds(30))
    #expect(options.limits.idle == nil)
    #expect(options.watermarks == .standard)
    try options.validate()
    options.limits.writeStall = nil
    options.limits.idle = .nanoseconds(1)
    try options.validate()
  }
}
