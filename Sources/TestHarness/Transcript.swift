/// What went over a connection, as one of its ends saw it.
///
/// Printed, each entry has its time, its direction, the text and the bytes in hex:
///
/// ```
/// 0.000 s  sent      "+OK ready\n"
///                    2B 4F 4B 20 72 65 61 64 79 0A
/// 0.001 s  received  "QUIT\n"
///                    51 55 49 54 0A
/// ```
///
/// It keeps the last 256 KiB.
public struct Transcript: Sendable {
  /// What can happen to a connection.
  public enum Event: Hashable, Sendable {
    /// Bytes that this end sent.
    case sent([UInt8])
    /// Bytes that this end received.
    case received([UInt8])
    /// This end finished its stream (half-close).
    case finished
    /// The other end finished its stream.
    case ended
    /// The other end reset the connection.
    case reset
    /// The connection broke otherwise; the text says how.
    case failed(String)
    /// The connection is over; the text says why.
    case closed(String)
  }

  /// Something that happened, and when.
  public struct Entry: Hashable, Sendable {
    /// Since the connection began, by the clock of its event loop.
    public var time: Duration
    /// What happened.
    public var event: Event
  }

  /// What happened, in order.
  public private(set) var entries: [Entry] = []

  /// How many bytes were dropped at the front, to bound the memory.
  public private(set) var omittedBytes = 0

  private var bytes = 0
  private static var mostBytes: Int { 256 << 10 }
  private static var mostEntries: Int { 16_384 }

  init() {}

  mutating func note(_ event: Event, at time: Duration) {
    entries.append(Entry(time: time, event: event))
    bytes += event.bytes.count
    guard bytes > Self.mostBytes || entries.count > Self.mostEntries else { return }
    // The half of it, so that not every entry moves all others.
    var dropped = 0
    while dropped < entries.count - 1, bytes > Self.mostBytes / 2 || dropped < Self.mostEntries / 2 {
      let count = entries[dropped].event.bytes.count
      bytes -= count
      omittedBytes += count
      dropped += 1
    }
    entries.removeFirst(dropped)
  }
}

extension Transcript.Event {
  var bytes: [UInt8] {
    switch self {
    case .sent(let bytes), .received(let bytes): bytes
    case .finished, .ended, .reset, .failed, .closed: []
    }
  }
}

extension Transcript: CustomStringConvertible {
  private static var bytesPerLine: Int { 24 }
  private static var mostLines: Int { 16 }

  /// The entries, one after the other.
  public var description: String {
    var lines = omittedBytes > 0 ? ["… \(omittedBytes) bytes before"] : []
    for entry in entries { lines += Self.lines(of: entry) }
    return lines.joined(separator: "\n")
  }

  private static func lines(of entry: Entry) -> [String] {
    let time = seconds(entry.time)
    let margin = String(repeating: " ", count: time.count + 12)
    switch entry.event {
    case .sent(let bytes): return dump(bytes, after: time + "  sent      ", margin)
    case .received(let bytes): return dump(bytes, after: time + "  received  ", margin)
    case .finished: return [time + "  finished  (this end sends no more)"]
    case .ended: return [time + "  ended     (the other end sends no more)"]
    case .reset: return [time + "  reset     (by the other end)"]
    case .failed(let error): return [time + "  failed    " + error]
    case .closed(let reason): return [time + "  closed    " + reason]
    }
  }

  private static func dump(_ bytes: [UInt8], after head: String, _ margin: String) -> [String] {
    var lines: [String] = []
    var rest = bytes[...]
    while !rest.isEmpty, lines.count < 2 * mostLines {
      // Where a line of text ends, so does the line that shows it.
      let ahead = rest.prefix(bytesPerLine)
      let piece = ahead.firstIndex(of: UInt8(ascii: "\n")).map { ahead[...$0] } ?? ahead
      lines.append((lines.isEmpty ? head : margin) + EscapedText.escape(piece))
      lines.append(margin + EscapedText.hex(piece))
      rest = rest[piece.endIndex...]
    }
    if !rest.isEmpty { lines.append(margin + "… \(rest.count) bytes more") }
    return lines.isEmpty ? [head + "nothing"] : lines
  }

  private static func seconds(_ time: Duration) -> String {
    let milliseconds = Int64(time / .milliseconds(1))
    let digits = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits + " s"
  }
}
