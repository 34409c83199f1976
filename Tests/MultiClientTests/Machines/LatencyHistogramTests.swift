import TestSupport
import Testing

@testable import MultiClient

@Suite("A latency histogram")
struct LatencyHistogramTests {
  private func values(_ seed: UInt64, count: Int) -> [UInt64] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in random.next() >> UInt64.random(in: 0...63, using: &random) }
  }

  @Test("every value is in the bucket whose bounds hold it, and buckets follow one another without a gap")
  func buckets() {
    var next: UInt64? = 0
    for index in 0..<LatencyHistogram.mostBuckets {
      let bounds = LatencyHistogram.bounds(ofBucket: index)
      let isItself = [bounds.lowerBound, bounds.upperBound].allSatisfy {
        LatencyHistogram.index(of: $0) == index
      }
      // 1.6 %
      let isNarrow = bounds.upperBound - bounds.lowerBound <= bounds.lowerBound / 64
      if bounds.lowerBound != next || !isItself || !isNarrow {
        Issue.record("bucket \(index): \(bounds)")
        return
      }
      next = bounds.upperBound == .max ? nil : bounds.upperBound + 1
    }
    #expect(next == nil)
  }

  @Test("a quantile is no less than the true one, and at most 1.6 % more", arguments: 0..<20 as Range<UInt64>)
  func quantiles(seed: UInt64) throws {
    let values = values(seed, count: 1 + Int(seed) * 7).map { $0 >> 2 }
    var histogram = LatencyHistogram()
    for value in values { histogram.record(nanoseconds: value) }
    let sorted = values.sorted()
    for share in [0, 0.01, 0.25, 0.5, 0.9, 0.99, 1] {
      let rank = max(1, Int((share * Double(sorted.count)).rounded(.up)))
      let exact = Duration.nanoseconds(Int64(sorted[rank - 1]))
      let answer = try #require(histogram.quantile(share))
      #expect(answer >= exact)
      #expect(answer <= exact + .nanoseconds(Int64(sorted[rank - 1] / 64)))
    }
    #expect(histogram.min == .nanoseconds(Int64(sorted[0])))
    #expect(histogram.max == .nanoseconds(Int64(sorted[sorted.count - 1])))
    #expect(histogram.count == UInt64(values.count))
    #expect(histogram.buckets.reduce(0) { $0 + $1.count } == UInt64(values.count))
  }

  @Test("two that are merged are the one that had recorded both", arguments: 0..<10 as Range<UInt64>)
  func merge(seed: UInt64) {
    let values = values(seed, count: 200)
    var (a, b, both) = (LatencyHistogram(), LatencyHistogram(), LatencyHistogram())
    for (index, value) in values.enumerated() {
      if index % 3 == 0 { a.record(nanoseconds: value) } else { b.record(nanoseconds: value) }
      both.record(nanoseconds: value)
    }
    var (left, right) = (a, b)
    left.merge(b)
    right.merge(a)
    #expect(left == both)
    #expect(right == both)
    left.merge(LatencyHistogram())
    #expect(left == both)
  }

  @Test("its numbers and its text are read back as the same", arguments: 0..<10 as Range<UInt64>)
  func kept(seed: UInt64) {
    var histogram = LatencyHistogram()
    #expect(LatencyHistogram(histogram.numbers) == histogram)
    for value in values(seed, count: 100) { histogram.record(nanoseconds: value) }
    #expect(LatencyHistogram(histogram.numbers) == histogram)
    #expect(LatencyHistogram(text: histogram.text) == histogram)
  }

  @Test(
    "numbers that it cannot have written are none, whatever they are", arguments: 0..<100 as Range<UInt64>)
  func damaged(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var histogram = LatencyHistogram()
    for value in values(seed, count: 5) { histogram.record(nanoseconds: value) }
    var numbers = histogram.numbers
    let place = Int.random(in: 0..<numbers.count, using: &random)
    numbers[place] =
      [0, 1, numbers[place] &+ 1, numbers[place] ^ 0xff, .max].randomElement(using: &random) ?? 0
    if let read = LatencyHistogram(numbers) {
      // It may be another's.
      #expect(read.numbers == numbers)
      _ = (read.description, read.quantile(0.5), read.mean, read.buckets)
    }
  }

  @Test("texts and numbers that are nothing of the sort are refused")
  func nonsense() {
    for text in ["", "1", "1 0 0", "x", "1 0 0 0 5", "2 0 0 0", "1 0 0 0 9999 1", "1 5 5 5 5 0", "1 -1 0 0"] {
      #expect(LatencyHistogram(text: text) == nil, "\(text)")
    }
    #expect(LatencyHistogram(text: "1 5 5 5 5 1")?.count == 1)
  }

  @Test("an empty one has no quantile, negative latencies are none, and the longest there are fit")
  func bounds() {
    var histogram = LatencyHistogram()
    #expect(histogram.quantile(0.5) == nil)
    #expect(histogram.description == "none recorded")
    histogram.record(.seconds(-1))
    histogram.record(.seconds(Int64.max))
    #expect(histogram.min == .zero)
    #expect(histogram.max == .seconds(UInt64.max / 1_000_000_000) + .nanoseconds(UInt64.max % 1_000_000_000))
    #expect(histogram.quantile(.nan) == histogram.max)
    #expect(histogram.numbers.count <= 2 * LatencyHistogram.mostBuckets + 4)
  }

  @Test("is told in one line")
  func text() {
    var histogram = LatencyHistogram()
    for number in 1...100 { histogram.record(.milliseconds(number)) }
    #expect(
      histogram.description == "100 recorded, mean 50 ms, 50 % 50 ms, 90 % 90 ms, 99 % 99 ms, most 100 ms")
  }
}
