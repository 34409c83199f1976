import MultiClient

/// A histogram drawn as horizontal bars, with round times as borders. Pure.
struct HistogramBars {
  struct Row: Equatable {
    /// The longest time in it, rounded as the borders are.
    let limit: Duration
    let count: UInt64
  }

  /// How finely a power of ten is divided, from coarse to fine.
  private static let scales: [[Double]] = [
    [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2],
  ]
  private static let fewestRows = 7
  private static let mostRows = 20

  let rows: [Row]

  /// Divides so finely that there are at least seven rows, if that can be.
  init(_ histogram: LatencyHistogram) {
    var rows: [Row] = []
    for scale in Self.scales where rows.count < Self.fewestRows {
      let finer = Self.rows(of: histogram, by: scale)
      if finer.count <= Self.mostRows || rows.isEmpty { rows = finer }
    }
    self.rows = rows
  }

  private static func rows(of histogram: LatencyHistogram, by scale: [Double]) -> [Row] {
    var borders: [Duration] = []
    for exponent in 0..<15 {
      let power = (0..<exponent).reduce(1.0) { power, _ in power * 10 }
      borders += scale.map { .nanoseconds(Int64($0 * power)) }
    }
    var rows: [Row] = []
    var place = 0
    for (range, count) in histogram.buckets {
      let first = place
      while place < borders.count - 1, borders[place] < range.lowerBound { place += 1 }
      if rows.isEmpty {
        rows.append(Row(limit: borders[place], count: count))
        continue
      }
      // What is empty in between is shown as well.
      if first < place {
        for empty in (first + 1)...place { rows.append(Row(limit: borders[empty], count: 0)) }
      }
      let last = rows.removeLast()
      rows.append(Row(limit: last.limit, count: last.count +| count))
    }
    return rows
  }

  /// A line for each row: `up to 1.50 ms  ████▌  1,204`; nothing when nothing was recorded.
  func text(width: Int) -> String {
    let most = rows.map(\.count).max() ?? 0
    guard most > 0 else { return "" }
    let limits = rows.map { $0.limit.roundText }
    let counts = rows.map(\.count.grouped)
    let limitWidth = limits.map(\.count).max() ?? 0
    let countWidth = counts.map(\.count).max() ?? 0
    let room = max(4, width - limitWidth - countWidth - 14)
    var text = ""
    for (place, row) in rows.enumerated() {
      let bar = row.count == 0 ? "" : Bar.text(share: Double(row.count) / Double(most), width: room)
      // A few of many are seen as well.
      let shown = row.count > 0 && bar.isEmpty ? "▏" : bar
      text += "  up to \(limits[place].padded(to: limitWidth))  \(counts[place].padded(to: countWidth))"
      text += (shown.isEmpty ? "" : "  " + shown) + "\n"
    }
    return text
  }
}
