/// How many a second there were in the last second or so. Pure.
struct RateMeter {
  private var samples: [(count: UInt64, time: Duration)] = [(0, .zero)]

  mutating func note(_ count: UInt64, at time: Duration) {
    samples.append((count, time))
    while samples.count > 2, samples[1].time <= time - .seconds(1) { samples.removeFirst() }
  }

  var perSecond: Double {
    guard let first = samples.first, let last = samples.last, last.time > first.time else { return 0 }
    return Double(last.count - first.count) / ((last.time - first.time) / .seconds(1))
  }
}
