import AsyncSockets

/// A history is not as it should be.
public struct HistoryViolation: Error, CustomStringConvertible {
  /// The check that does not hold.
  public let check: String
  /// What is wrong.
  public let message: String
  /// The events that show it, in order, with times, hosts and ids, one line each.
  public let events: [String]

  init(check: String, message: String, events: [HistoryEvent<some Sendable, some Equatable & Sendable>]) {
    self.check = check
    self.message = message
    let columns = events.map { event in
      let (verb, details) = event.words
      return [event.time.inSeconds, event.host ?? "", verb, event.id, EscapedText.shortened(details, to: 60)]
    }
    let widths = (0..<4).map { column in columns.map { $0[column].count }.max() ?? 0 }
    self.events = columns.map { column in
      let padded = zip(column, widths).map { $0.padded(to: $1) }.filter { !$0.isEmpty }
      return (padded + [column[4]]).joined(separator: "  ").trimmed
    }
  }

  /// The check, what is wrong, and the events that show it.
  public var description: String {
    "the history violates \(check): \(message)" + events.map { "\n  \($0)" }.joined()
  }
}

/// Whether a history is as it should be could not be found out.
public struct HistoryUndecided: Error, CustomStringConvertible {
  /// The check that has given up.
  public let check: String
  /// Why, and what would help.
  public let reason: String

  /// The check, and why it has given up.
  public var description: String { "\(check) gave up on the history: \(reason)" }
}

extension Duration {
  /// Seconds with six digits behind the point: `1.000512 s`.
  var inSeconds: String {
    let (seconds, attoseconds) = components
    let digits = String(attoseconds / 1_000_000_000_000)
    return "\(seconds).\(String(repeating: "0", count: 6 - digits.count))\(digits) s"
  }
}

extension String {
  /// With spaces behind it, so that it is so many characters long.
  func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

  /// Without the spaces behind it.
  fileprivate var trimmed: String {
    String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
  }
}
