/// The time of day as a host shows it, which may be wrong, and run fast or slow.
///
/// Pure: it is told the right time, in nanoseconds.
struct HostTime {
  private var shown: Int64 = 0
  private var since: Int64 = 0
  /// By which share it runs fast; negative where it is slow.
  private var drift = 0.0

  func reading(at now: Int64) -> Int64 {
    let passed = now - since
    return shown &+ passed &+ Int64(Double(passed) * drift)
  }

  /// How long a time by this clock takes in truth.
  func truth(of duration: Int64) -> Int64 {
    if drift == 0 { return duration }
    return Int64(exactly: (Double(duration) / (1 + drift)).rounded(.up)) ?? (duration < 0 ? .min : .max)
  }

  mutating func set(to reading: Int64, drift: Double, at now: Int64) {
    shown = reading
    since = now
    self.drift = drift
  }

  mutating func move(by step: Int64, at now: Int64) {
    set(to: reading(at: now) &+ step, drift: drift, at: now)
  }
}
