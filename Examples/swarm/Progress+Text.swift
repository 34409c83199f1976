// Of one width, so that nothing moves but what changes.

extension Progress {
  private static let shortestBar = 10
  private static let longestBar = 40

  /// A line of at most `width` columns: a bar, and beside it as much as fits, the most important first.
  func line(width: Int) -> String {
    let digits = connections.grouped.count
    var parts: [(rank: Int, text: String)] = [
      (0, "\(Int(share * 100)) %".padded(to: 5)),
      (2, open.grouped.padded(to: digits) + " open"),
      (3, (rate.compact() + "/s").padded(to: 7)),
      (1, errors.counted("error")),
      (5, (replies.grouped + " replies").padded(to: 14)),
      (6, elapsed.clockText),
    ]
    if waiting + connecting > 0 {
      parts.insert((4, (waiting + connecting).grouped.padded(to: digits) + " to open"), at: 2)
    }
    func text(of parts: [(rank: Int, text: String)]) -> String { parts.map(\.text).joined(separator: "  ") }
    while parts.count > 1, text(of: parts).count + 2 + Self.shortestBar > width,
      let least = parts.indices.max(by: { parts[$0].rank < parts[$1].rank })
    {
      parts.remove(at: least)
    }
    let words = text(of: parts)
    let room = min(Self.longestBar, width - words.count - 2)
    guard room >= Self.shortestBar else { return String(words.prefix(max(0, width))) }
    return Bar.text(share: share, width: room, isTrack: true) + "  " + words
  }

  /// For where nothing can be overwritten.
  var plainLine: String {
    "\(elapsed.clockText)  \(Int(share * 100)) %, \(open.grouped) open"
      + (waiting + connecting > 0 ? ", \((waiting + connecting).grouped) to open" : "")
      + ", \(replies.grouped) replies, \(rate.compact())/s, \(errors.counted("error"))"
  }
}
