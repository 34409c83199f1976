import AsyncSockets

/// How often which latency occurred: any number of them in at most 30 KiB, each known to 1.6 %.
///
/// Buckets are linear up to 64 ns, and from there on 64 to each doubling ("log-linear", as HDR histograms have them), so
/// that nanoseconds and hours stand in one table. Two of them add up to exactly the one that had recorded both.
public struct LatencyHistogram: Hashable, Sendable {
  private static let bits = 6
  private static let perDoubling = 1 << bits
  private static let version: UInt64 = 1
  /// The buckets that can be: for all that a `UInt64` holds.
  static let mostBuckets = (UInt64.bitWidth - bits + 1) * perDoubling

  /// By bucket, up to the last that is in use.
  private var counts: [UInt64] = []
  /// How many were recorded.
  public private(set) var count: UInt64 = 0
  private var sum: UInt64 = 0
  private var least = UInt64.max
  private var most: UInt64 = 0

  /// Nothing recorded.
  public init() {}

  /// Records one; what is negative counts as zero.
  public mutating func record(_ latency: Duration) { record(nanoseconds: Self.nanoseconds(latency)) }

  mutating func record(nanoseconds value: UInt64) {
    let index = Self.index(of: value)
    if index >= counts.count { counts.append(contentsOf: repeatElement(0, count: index + 1 - counts.count)) }
    counts[index] = Self.sum(counts[index], 1)
    count = Self.sum(count, 1)
    sum = Self.sum(sum, value)
    least = Swift.min(least, value)
    most = Swift.max(most, value)
  }

  /// Adds what another has recorded.
  public mutating func merge(_ other: LatencyHistogram) {
    if other.counts.count > counts.count {
      counts.append(contentsOf: repeatElement(0, count: other.counts.count - counts.count))
    }
    for (index, count) in other.counts.enumerated() { counts[index] = Self.sum(counts[index], count) }
    count = Self.sum(count, other.count)
    sum = Self.sum(sum, other.sum)
    least = Swift.min(least, other.least)
    most = Swift.max(most, other.most)
  }

  /// The shortest, exactly; `nil` when nothing was recorded.
  public var min: Duration? { count == 0 ? nil : Self.duration(least) }

  /// The longest, exactly; `nil` when nothing was recorded.
  public var max: Duration? { count == 0 ? nil : Self.duration(most) }

  /// The mean, exactly; `nil` when nothing was recorded.
  public var mean: Duration? { count == 0 ? nil : Self.duration(sum / count) }

  /// The latency that a share of all did not exceed: `quantile(0.99)`. No less than the true one, and at most 1.6 % more;
  /// `nil` when nothing was recorded.
  ///
  /// - Parameter share: from 0 to 1; what is outside counts as the nearer of them.
  public func quantile(_ share: Double) -> Duration? {
    guard count > 0 else { return nil }
    let share = share.isNaN ? 1 : Swift.min(1, Swift.max(0, share))
    let rank = Swift.max(1, (share * Double(count)).rounded(.up))
    var seen: UInt64 = 0
    for (index, count) in counts.enumerated() where count > 0 {
      seen = Self.sum(seen, count)
      if Double(seen) >= rank {
        return Self.duration(Swift.max(least, Swift.min(most, Self.bounds(ofBucket: index).upperBound)))
      }
    }
    return max
  }

  /// The buckets that are in use, from the shortest on: from when to when, both included, and how many.
  public var buckets: [(range: ClosedRange<Duration>, count: UInt64)] {
    counts.enumerated().compactMap { index, count in
      let bounds = Self.bounds(ofBucket: index)
      return count == 0 ? nil : (Self.duration(bounds.lowerBound)...Self.duration(bounds.upperBound), count)
    }
  }
}

// MARK: - To keep and to send

extension LatencyHistogram {
  /// All of it as numbers, which `init(_:)` reads back: a version, the sum, the least and the most in nanoseconds, and
  /// then each bucket that is in use, its number and its count.
  public var numbers: [UInt64] {
    var numbers = [Self.version, sum, count == 0 ? 0 : least, most]
    for (index, count) in counts.enumerated() where count > 0 { numbers += [UInt64(index), count] }
    return numbers
  }

  /// Reads what `numbers` has written; `nil` for what cannot have been.
  public init?(_ numbers: [UInt64]) {
    guard numbers.count >= 4, numbers.count % 2 == 0, numbers[0] == Self.version else { return nil }
    var last = -1
    for place in stride(from: 4, to: numbers.count, by: 2) {
      guard numbers[place] < UInt64(Self.mostBuckets), numbers[place + 1] > 0 else { return nil }
      let index = Int(numbers[place])
      guard index > last else { return nil }
      last = index
      counts.append(contentsOf: repeatElement(0, count: index + 1 - counts.count))
      counts[index] = numbers[place + 1]
      count = Self.sum(count, numbers[place + 1])
    }
    (sum, most) = (numbers[1], numbers[3])
    guard count > 0 else {
      if numbers[1...].contains(where: { $0 != 0 }) { return nil }
      return
    }
    least = numbers[2]
    guard let first = counts.firstIndex(where: { $0 > 0 }), Self.index(of: least) == first,
      Self.index(of: most) == last, least <= most
    else { return nil }
  }

  /// The numbers as one text, with spaces between.
  public var text: String { numbers.map(String.init).joined(separator: " ") }

  /// Reads what `text` has written; `nil` for what cannot have been.
  public init?(text: String) {
    let words = text.split(separator: " ")
    let numbers = words.compactMap { UInt64($0) }
    guard numbers.count == words.count else { return nil }
    self.init(numbers)
  }
}

extension LatencyHistogram: CustomStringConvertible {
  /// One line: `1200 recorded, mean 312 µs, 50 % 290 µs, 90 % 410 µs, 99 % 1 ms, most 3 ms`.
  public var description: String {
    guard let mean, let max else { return "none recorded" }
    let shares = [50, 90, 99].compactMap { share in
      quantile(Double(share) / 100).map { "\(share) % \($0.briefly)" }
    }
    return "\(count) recorded, mean \(mean.briefly), \(shares.joined(separator: ", ")), most \(max.briefly)"
  }
}

// MARK: - Buckets

extension LatencyHistogram {
  static func index(of value: UInt64) -> Int {
    guard value >= UInt64(perDoubling) else { return Int(value) }
    let shift = UInt64.bitWidth - 1 - value.leadingZeroBitCount - bits
    return (shift + 1) * perDoubling + Int(value >> UInt64(shift)) - perDoubling
  }

  /// The values of a bucket.
  static func bounds(ofBucket index: Int) -> ClosedRange<UInt64> {
    guard index >= 2 * perDoubling else { return UInt64(index)...UInt64(index) }
    let shift = UInt64(index / perDoubling - 1)
    let first = UInt64(index % perDoubling + perDoubling) << shift
    return first...(first + ((1 << shift) - 1))
  }

  private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? .max : sum
  }

  private static func nanoseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : sum(whole, UInt64(attoseconds / 1_000_000_000))
  }

  private static func duration(_ nanoseconds: UInt64) -> Duration {
    .seconds(nanoseconds / 1_000_000_000) + .nanoseconds(nanoseconds % 1_000_000_000)
  }
}
