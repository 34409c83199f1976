import AsyncSockets

/// What happened in a simulation, for a person to read: hosts side by side, connections by their numbers, what was sent and
/// what arrived as text, and what was done to the network across all of it.
///
/// ```
///      time  client                      server
///  0.000000  #1 connects to server:7     │
///  0.000573  │                           #1 accepted from client
///  0.000573  #1 → "PUT x 1\n"            │
///  0.001131  │                           #1 ← "PUT x 1\n"
///  1.000000  ══ client and server are cut off from each other ══
/// ```
///
/// It has no turns of the loop, no acknowledgements and no reads that only take what is shown to have arrived. Where more
/// than four hosts have a part in it, each line names its host.
public struct SimulationTimeline: Sendable {
  struct Row: Sendable {
    enum Content: Hashable, Sendable {
      case event(String)
      /// Bytes, of which the first are kept, after how they moved: `#1 →`.
      case bytes(String, first: [UInt8], count: Int)
      /// What was done to the network, or what it could not do.
      case fault(String)
      case note(String)
    }

    let time: EventLoop.Instant
    /// Where; `nil` for what concerns all.
    let host: String?
    var content: Content
  }

  /// Bytes of one row that are kept.
  static let mostBytes = 64
  private static let width = 110
  private static let mostLanes = 4
  private static let widestText = 72

  private(set) var rows: [Row] = []
  /// Whether something was before, faults apart.
  private(set) var isCut = false

  init() {}

  /// Adds what happened next. Bytes that move as those before them did become one row with them.
  mutating func append(_ row: Row) {
    if case .bytes(let way, let more, let count) = row.content, let last = rows.last, last.host == row.host,
      case .bytes(way, var first, let before) = last.content
    {
      first += more.prefix(Self.mostBytes - first.count)
      rows[rows.count - 1].content = .bytes(way, first: first, count: before + count)
    } else {
      rows.append(row)
    }
  }

  /// The last rows, and before them all faults, which may be their cause.
  public func last(_ count: Int) -> SimulationTimeline {
    guard rows.count > count else { return self }
    let start = rows.count - max(0, count)
    var timeline = SimulationTimeline()
    timeline.rows = rows[..<start].filter(\.isFault) + rows[start...]
    timeline.isCut = true
    return timeline
  }

  /// What happened in that time, and before it all faults, which may be the cause.
  public func during(_ range: ClosedRange<Duration>) -> SimulationTimeline {
    let zero = EventLoop.Instant(nanoseconds: 0)
    let (start, end) = (zero.advanced(by: range.lowerBound), zero.advanced(by: range.upperBound))
    return keeping { $0.time <= end && ($0.time >= start || $0.isFault) }
  }

  /// What happened on these hosts, and what concerns all.
  public func among(_ hosts: String...) -> SimulationTimeline {
    keeping { row in row.host.map { hosts.contains($0) } ?? true }
  }

  /// One line for each row.
  var lines: [String] { description.split(separator: "\n").map(String.init) }

  private func keeping(_ isKept: (Row) -> Bool) -> SimulationTimeline {
    var timeline = self
    timeline.rows = rows.filter(isKept)
    return timeline
  }

  /// The same without what came after the body or a service had thrown, which is only the clearing up.
  func untilThrown(_ note: String) -> SimulationTimeline {
    let end = rows.firstIndex { row in
      if case .note(let text) = row.content { text.hasSuffix(note) } else { false }
    }
    guard let end else { return self }
    var timeline = self
    timeline.rows.removeSubrange((end + 1)...)
    return timeline
  }
}

extension SimulationTimeline.Row {
  var isFault: Bool { if case .fault = content { true } else { false } }

  /// In at most so many characters.
  func text(_ width: Int) -> String {
    switch content {
    case .event(let text): return EscapedText.shortened(text, to: width)
    case .fault(let text): return "══ " + EscapedText.shortened(text, to: width - 6) + " ══"
    case .note(let text): return "── " + EscapedText.shortened(text, to: width - 3)
    case .bytes(let way, let first, let count):
      let whole = "\(way) \(EscapedText.escape(first))"
      if first.count == count, whole.count <= width { return whole }
      let size = " \(count.of("byte"))"
      var text = ""
      for byte in first {
        let next = EscapedText.escape(byte)
        if way.count + text.count + next.count + size.count + 4 > width { break }
        text += next
      }
      return "\(way) \"\(text)…\"\(size)"
    }
  }
}

extension SimulationTimeline: CustomStringConvertible {
  /// All of it, in lines of at most 110 characters. Empty where nothing has happened.
  public var description: String {
    guard let last = rows.last else { return "" }
    var hosts: [String] = []
    for host in rows.compactMap(\.host) where !hosts.contains(host) { hosts.append(host) }
    let timeWidth = max(4, Self.seconds(last.time).count)
    let lines =
      hosts.count <= Self.mostLanes
      ? lanes(hosts, Self.width - timeWidth - 2) : list(hosts, Self.width - timeWidth - 2)
    let times = ["time"] + rows.map { Self.seconds($0.time) }
    var result = zip(times, lines).map { time, line in
      String(repeating: " ", count: timeWidth - time.count) + time + "  " + line
    }
    if isCut, let start = rows.firstIndex(where: { !$0.isFault }) { result.insert("…", at: start + 1) }
    return result.joined(separator: "\n")
  }

  /// A heading and a line for each row, with a column for each host.
  private func lanes(_ hosts: [String], _ width: Int) -> [String] {
    let lane = hosts.isEmpty ? width : min(width / hosts.count, 44)
    var heading = ""
    for host in hosts { heading += EscapedText.shortened(host, to: lane - 2).padded(to: lane) }
    return [Self.trimmed(heading)]
      + rows.map { row in
        guard let host = row.host, let place = hosts.firstIndex(of: host) else { return row.text(width) }
        let before = hosts[..<place].map { _ in "│".padded(to: lane) }.joined()
        let text = row.text(min(width - place * lane, Self.widestText))
        // It may reach into the columns to the right, where nothing happens on this line.
        var line = before + text
        for next in hosts.indices where next > place && line.count < next * lane {
          line = line.padded(to: next * lane) + "│"
        }
        return line
      }
  }

  /// A heading and a line for each row, which begins with its host.
  private func list(_ hosts: [String], _ width: Int) -> [String] {
    let name = min(20, hosts.map(\.count).max() ?? 0)
    return ["host".padded(to: name) + "  event"]
      + rows.map { row in
        guard let host = row.host else { return row.text(width) }
        return EscapedText.shortened(host, to: name).padded(to: name) + "  " + row.text(width - name - 2)
      }
  }

  private static func seconds(_ time: EventLoop.Instant) -> String {
    String(Duration.nanoseconds(time.nanoseconds).inSeconds.dropLast(2))
  }

  private static func trimmed(_ text: String) -> String {
    String(text[..<(text.lastIndex { $0 != " " }.map { text.index(after: $0) } ?? text.startIndex)])
  }
}
