import MultiClient

// For people: aligned, and no wider than the terminal.

extension Summary {
  private static let labelWidth = 15
  private static let columnWidth = 10

  /// Lines of at most `width` columns, but for examples of errors, below the heading.
  func text(width: Int) -> String {
    let parts = [
      facts(width: width), times(width: width), HistogramBars(replies).text(width: width), verdict,
    ]
    return parts.filter { !$0.isEmpty }.map { "\n" + $0 }.joined()
  }

  private func facts(width: Int) -> String {
    var connected = "\(connections.opened.grouped) of \(connections.asked.grouped) opened"
    if connections.opened > 0 { connected += " in \(connections.opening.text)" }
    if runs > 1 { connected += ", by \(runs) runs" }
    var replied = "\(messages.sent.grouped) sent, \(messages.right.grouped) replies right"
    if messages.wrong > 0 { replied += ", \(messages.wrong.grouped) wrong" }
    if messages.unanswered > 0 { replied += ", \(messages.unanswered.grouped) without reply" }
    var text = Self.row("connections", connected) + Self.row("messages", replied)
    guard replies.count > 0, elapsed > .zero else { return text }
    let speed = "\(UInt64(min(repliesPerSecond, 1e18).rounded()).grouped) replies/s in \(elapsed.text)"
    let seconds = elapsed / .seconds(1)
    let (received, sent) = (Double(bytesReceived) / seconds, Double(bytesSent) / seconds)
    let bytes = ", \(received.compact("B/s")) in, \(sent.compact("B/s")) out"
    let fits = Self.labelWidth + speed.count + bytes.count <= width
    text += Self.row("throughput", fits ? speed + bytes : speed)
    return text
  }

  private static func row(_ label: String, _ value: String) -> String {
    "  " + label.filled(to: labelWidth - 2) + value + "\n"
  }

  /// A table of what share of all took no longer than that, with as many columns as fit.
  private func times(width: Int) -> String {
    let rows = [("to connect", connecting), ("to reply", replies)].filter { $0.1.count > 0 }
    guard !rows.isEmpty else { return "" }
    // The first are the last to go.
    let columns: [(rank: Int, heading: String, share: Double)] = [
      (1, "50 %", 0.5), (3, "90 %", 0.9), (0, "99 %", 0.99), (4, "99.9 %", 0.999), (2, "max", 1),
    ]
    let room = max(1, (width - Self.labelWidth + 1) / Self.columnWidth)
    let shown = columns.filter { $0.rank < room }
    func line(_ label: String, _ cells: [String]) -> String {
      // The first column begins where the values above it do.
      let first = (cells.first ?? "").padded(to: Self.columnWidth - 3)
      return Self.row(
        label, first + cells.dropFirst().map { $0.padded(to: Self.columnWidth) }.joined())
    }
    return line("", shown.map(\.heading))
      + rows.map { label, histogram in
        line(label, shown.map { histogram.quantile($0.share)?.text ?? "-" })
      }.joined()
  }

  private var verdict: String {
    var text = ""
    if let signal { text += "ended before its time by \(Self.name(of: signal))\n" }
    if errors.total == 0 {
      if signal == nil { text += "no errors: every reply was right\n" }
      return text
    }
    text += errors.total.counted("error") + "\n"
    let entries = errors.sorted
    let digits = entries.map(\.count.grouped.count).max() ?? 0
    for entry in entries {
      text += "  \(entry.count.grouped.padded(to: digits))  \(Escapes.printable(entry.kind))\n"
      text += "  " + String(repeating: " ", count: digits) + "  such as \(Escapes.printable(entry.example))\n"
    }
    return text
  }

  private static func name(of signal: Int32) -> String {
    switch signal {
    case 2: "SIGINT"
    case 15: "SIGTERM"
    default: "signal \(signal)"
    }
  }
}
