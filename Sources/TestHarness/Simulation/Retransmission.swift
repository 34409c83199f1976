/// When TCP sends a packet again that nobody has acknowledged, counted from the first time, as Linux does it:
/// tcp(7), `tcp_syn_retries` and `tcp_retries2`.
struct Retransmission {
  /// Nanoseconds before the first repetition.
  let first: Int64
  /// Nanoseconds between two at most.
  let longest: Int64
  /// Nanoseconds after which TCP gives up.
  let patience: Int64

  /// For data.
  static let data = Retransmission(
    first: 200_000_000, longest: 120_000_000_000, patience: 924_600_000_000)
  /// For the packet that begins a connection.
  static let connecting = Retransmission(
    first: 1_000_000_000, longest: 64_000_000_000, patience: 127_000_000_000)

  /// The first repetition that is `elapsed` or more after the first attempt.
  func next(after elapsed: Int64) -> Int64 {
    var time = first
    var step = first
    while time < elapsed {
      step = min(step * 2, longest)
      time += step
    }
    return time
  }

  /// The `count`-th repetition, counted from 1.
  func time(ofRepetition count: Int) -> Int64 {
    var time: Int64 = 0
    var step = first
    for _ in 0..<count {
      time += step
      step = min(step * 2, longest)
    }
    return time
  }
}
