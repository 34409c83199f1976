import MultiClient

// For people: aligned, and no wider than the terminal.

extension Summary {
  /// Lines of at most `width` columns, but for long examples, below the heading.
  func text(width: Int) -> String {
    var text = "\n"
    for (label, value) in rows { text += "  " + label.filled(to: 13) + value + "\n" }
    let bars = HistogramBars(replies).text(width: width)
    if !bars.isEmpty { text += "\n" + bars }
    return text + "\n" + verdict
  }

  private var rows: [(label: String, value: String)] {
    var rows = [(label: String, value: String)]()
    let opened = connections.opened
    var connected = "\(opened.grouped) of \(connections.asked.grouped) opened"
    if opened > 0 { connected += " in \(connections.opening.text)" }
    rows.append(("connections", connected))
    if connecting.count > 0 { rows.append(("to connect", Self.quantiles(of: connecting))) }
    var replied = "\(messages.sent.grouped) sent, \(messages.right.grouped) replies right"
    if messages.wrong > 0 { replied += ", \(messages.wrong.grouped) wrong" }
    if messages.unanswered > 0 { replied += ", \(messages.unanswered.grouped) missing" }
    rows.append(("messages", replied))
    if replies.count > 0 {
      let seconds = elapsed / .seconds(1)
      let (received, sent) = (Double(bytesReceived) / seconds, Double(bytesSent) / seconds)
      rows.append(
        (
          "throughput",
          "\(UInt64(repliesPerSecond.rounded()).grouped) replies/s in \(elapsed.text), "
            + "\(received.compact("B/s")) in, \(sent.compact("B/s")) out"
        ))
      rows.append(("to reply", Self.quantiles(of: replies)))
    }
    return rows
  }

  private static func quantiles(of histogram: LatencyHistogram) -> String {
    let shares = [("50 %", 0.5), ("90 %", 0.9), ("99 %", 0.99), ("99.9 %", 0.999)]
    var parts = shares.map { "\($0.0) \(histogram.quantile($0.1)?.text ?? "-")" }
    parts.append("max \(histogram.max?.text ?? "-")")
    return parts.joined(separator: "   ")
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
      text += "  \(entry.count.grouped.padded(to: digits))  \(entry.kind)\n"
      text += "  " + String(repeating: " ", count: digits) + "  such as \(entry.example)\n"
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
