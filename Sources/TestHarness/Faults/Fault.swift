import AsyncSockets

/// What a ``FaultProxy`` does to the bytes of one direction. Most are named as in toxiproxy.
///
/// Counts of bytes and times begin when the fault is put on a connection: when it is added, or when the connection is
/// made, whichever is later.
public struct Fault: Hashable, Sendable {
  enum Kind: Hashable {
    case latency(Duration, jitter: Duration)
    case bandwidth(bytesPerSecond: Int)
    case slowClose(Duration)
    case timeout(after: Duration?)
    case resetPeer(after: Duration)
    case slicer(averageSize: Int, variation: Int, delay: Duration)
    case limitData(Int)
    case halfClose(afterBytes: Int)
    case stall(afterBytes: Int)
    case corrupt(share: Double)
  }

  let kind: Kind

  /// Everything arrives so much later, give or take the jitter at random, and in order all the same.
  public static func latency(_ delay: Duration, jitter: Duration = .zero) -> Fault {
    Fault(kind: .latency(delay, jitter: jitter))
  }

  /// No more bytes a second than so many, in pieces of a hundredth of a second each.
  public static func bandwidth(bytesPerSecond: Int) -> Fault {
    Fault(kind: .bandwidth(bytesPerSecond: bytesPerSecond))
  }

  /// The end of the stream arrives so much later; the bytes do not.
  public static func slowClose(_ delay: Duration) -> Fault { Fault(kind: .slowClose(delay)) }

  /// No byte arrives any more, and those that are sent are lost; the connection is closed after a time, if one is given.
  public static func timeout(after time: Duration? = nil) -> Fault { Fault(kind: .timeout(after: time)) }

  /// Both sides of the connection are reset, after a time or at once, whatever is on its way.
  public static func resetPeer(after time: Duration = .zero) -> Fault { Fault(kind: .resetPeer(after: time)) }

  /// Bytes arrive in pieces, of `averageSize - variation` to `averageSize + variation` bytes, at random.
  ///
  /// - Parameter delay: between two pieces at least.
  public static func slicer(averageSize: Int, variation: Int = 0, delay: Duration = .zero) -> Fault {
    Fault(kind: .slicer(averageSize: averageSize, variation: variation, delay: delay))
  }

  /// So many bytes arrive, and no more: then the connection is closed.
  public static func limitData(_ bytes: Int) -> Fault { Fault(kind: .limitData(bytes)) }

  /// So many bytes arrive, and then the end of the stream; the other direction goes on. What is sent later is lost.
  public static func halfClose(afterBytes bytes: Int = 0) -> Fault {
    Fault(kind: .halfClose(afterBytes: bytes))
  }

  /// So many bytes arrive, and then nothing, until the fault is removed: the sender is made to wait. Nothing is lost.
  public static func stall(afterBytes bytes: Int = 0) -> Fault { Fault(kind: .stall(afterBytes: bytes)) }

  /// A share of the bytes, chosen at random, arrives with one bit flipped.
  ///
  /// - Parameter share: more than 0, and 1 at most.
  public static func corrupt(share: Double = 0.01) -> Fault { Fault(kind: .corrupt(share: share)) }
}

extension Fault: CustomStringConvertible {
  /// In words: `a latency of 50 ms, give or take 10 ms`.
  public var description: String {
    switch kind {
    case .latency(let delay, let jitter):
      "a latency of \(delay.briefly)" + (jitter > .zero ? ", give or take \(jitter.briefly)" : "")
    case .bandwidth(let rate): "a bandwidth of \(rate.of("byte")) a second"
    case .slowClose(let delay): "an end that comes \(delay.briefly) late"
    case .timeout(nil): "silence"
    case .timeout(let time?): "silence, and the end after \(time.briefly)"
    case .resetPeer(let time): time == .zero ? "a reset" : "a reset after \(time.briefly)"
    case .slicer(let size, let variation, let delay):
      "slices of \(size.of("byte"))" + (variation > 0 ? ", give or take \(variation)" : "")
        + (delay > .zero ? ", \(delay.briefly) apart" : "")
    case .limitData(let bytes): "a close after \(bytes.of("byte"))"
    case .halfClose(let bytes): "the end after \(bytes.of("byte"))"
    case .stall(let bytes): "a stall after \(bytes.of("byte"))"
    case .corrupt(let share): "\((share * 1000).rounded() / 10) % of the bytes corrupt"
    }
  }
}

extension Fault {
  func validate() throws(SocketError) {
    switch kind {
    case .latency(let delay, let jitter):
      try Self.check(delay, "a latency")
      try Self.check(jitter, "a jitter")
      if jitter > delay {
        throw .invalid("a jitter must be at most its latency, which is \(delay), but is \(jitter)")
      }
    case .bandwidth(let rate):
      if rate < 1 { throw .invalid("a bandwidth must be at least 1 byte a second, but is \(rate)") }
    case .slowClose(let delay): try Self.check(delay, "the delay of a slow close")
    case .timeout(let time):
      if let time { try Self.check(time, "the time of a time-out") }
    case .resetPeer(let time): try Self.check(time, "the time before a reset")
    case .slicer(let size, let variation, let delay):
      if size < 1 { throw .invalid("the average size of a slice must be at least 1 byte, but is \(size)") }
      if !(0..<size).contains(variation) {
        throw .invalid(
          "the variation of a slice must be at least 0 and less than its average size, which is \(size), "
            + "but is \(variation)")
      }
      try Self.check(delay, "the delay between slices")
    case .limitData(let bytes): try Self.check(bytes, "a limit of data")
    case .halfClose(let bytes): try Self.check(bytes, "what goes before a half-close")
    case .stall(let bytes): try Self.check(bytes, "what goes before a stall")
    case .corrupt(let share):
      if !(share > 0 && share <= 1) {
        throw .invalid("the share of corrupt bytes must be more than 0 and at most 1, but is \(share)")
      }
    }
  }

  private static func check(_ duration: Duration, _ name: String) throws(SocketError) {
    if duration < .zero { throw .invalid("\(name) must not be negative, but is \(duration)") }
  }

  private static func check(_ bytes: Int, _ name: String) throws(SocketError) {
    if bytes < 0 { throw .invalid("\(name) must be 0 bytes or more, but is \(bytes)") }
  }

  func makeToxic(at now: EventLoop.Instant, random: SeededRandom) -> any Toxic {
    switch kind {
    case .latency(let delay, let jitter): LatencyToxic(delay: delay, jitter: jitter, random: random)
    case .bandwidth(let rate): BandwidthToxic(bytesPerSecond: rate)
    case .slowClose(let delay): SlowCloseToxic(delay: delay)
    case .timeout(let time): TimeoutToxic(closesAt: time.map { now.advanced(by: $0) })
    case .resetPeer(let time): ResetPeerToxic(resetsAt: now.advanced(by: time))
    case .slicer(let size, let variation, let delay):
      SlicerToxic(sizes: size - variation...size + min(variation, .max - size), delay: delay, random: random)
    case .limitData(let bytes): LimitDataToxic(left: bytes)
    case .halfClose(let bytes): HalfCloseToxic(left: bytes)
    case .stall(let bytes): StallToxic(left: bytes)
    case .corrupt(let share): CorruptToxic(share: share, random: random)
    }
  }
}
