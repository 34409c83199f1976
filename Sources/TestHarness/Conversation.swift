/// Who said what on a connection, without times and however the network cut it: a transcript to keep, compare and
/// replay.
///
/// As text it has one line of bytes or one event on each line, and can be written by hand:
///
/// ```
/// # A POP3 session, as the server sees it
/// sent "+OK ready\r\n"
/// received "QUIT\r\n"
/// ended
/// ```
///
/// `sent` and `finished` are what this end does; `received`, `ended` and `reset` are the other's. In quotes stand
/// printable ASCII, `\n`, `\r`, `\t`, `\"`, `\\` and `\x00` to `\xFF`. Empty lines and those that begin with `#` do not
/// count.
public struct Conversation: Hashable, Sendable {
  /// A part of a conversation.
  public enum Step: Hashable, Sendable {
    /// This end sends bytes.
    case sent([UInt8])
    /// The other end does.
    case received([UInt8])
    /// This end finishes its stream.
    case finished
    /// The other end finishes its stream.
    case ended
    /// The other end resets the connection.
    case reset
  }

  /// What happens, in order; bytes of one direction that follow on one another are one step.
  public private(set) var steps: [Step] = []

  /// A conversation of these steps.
  public init(_ steps: [Step]) {
    for step in steps { append(step) }
  }

  /// Reads the text of a conversation.
  ///
  /// - Throws: ``ExpectationFailure`` that names the first line that is none.
  public init(_ text: String) throws {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.drop { $0 == " " }
      if line.isEmpty || line.hasPrefix("#") { continue }
      guard let step = Step(line) else {
        throw ExpectationFailure(
          "line \(index + 1) of a conversation is \(line), and should be sent \"…\", received \"…\", finished, ended "
            + "or reset")
      }
      append(step)
    }
  }

  private mutating func append(_ step: Step) {
    switch (steps.last, step) {
    case (_, .sent([])), (_, .received([])): break
    case (.sent(let before)?, .sent(let bytes)): steps[steps.count - 1] = .sent(before + bytes)
    case (.received(let before)?, .received(let bytes)): steps[steps.count - 1] = .received(before + bytes)
    default: steps.append(step)
    }
  }

  /// The same conversation, as the other end sees it. A reset, which only who receives it sees, is left out.
  public var fromTheOtherEnd: Conversation {
    Conversation(
      steps.compactMap { step in
        switch step {
        case .sent(let bytes): .received(bytes)
        case .received(let bytes): .sent(bytes)
        case .finished: .ended
        case .ended: .finished
        case .reset: nil
        }
      })
  }
}

extension Conversation: CustomStringConvertible {
  /// The text, with a line for each line of bytes.
  public var description: String { lines.map { $0 + "\n" }.joined() }

  var lines: [String] {
    steps.flatMap { step -> [String] in
      switch step {
      case .sent(let bytes): Self.lines(bytes).map { "sent " + $0 }
      case .received(let bytes): Self.lines(bytes).map { "received " + $0 }
      case .finished: ["finished"]
      case .ended: ["ended"]
      case .reset: ["reset"]
      }
    }
  }

  private static func lines(_ bytes: [UInt8]) -> [String] {
    var lines: [String] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let ahead = rest.prefix(72)
      let line = ahead.firstIndex(of: UInt8(ascii: "\n")).map { ahead[...$0] } ?? ahead
      lines.append(EscapedText.escape(line))
      rest = rest[line.endIndex...]
    }
    return lines
  }
}

extension Conversation.Step {
  fileprivate init?(_ line: Substring) {
    switch line {
    case "finished": self = .finished
    case "ended": self = .ended
    case "reset": self = .reset
    default:
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2, let bytes = EscapedText.unescape(words[1]) else { return nil }
      switch words[0] {
      case "sent": self = .sent(bytes)
      case "received": self = .received(bytes)
      default: return nil
      }
    }
  }
}

extension Transcript {
  /// What was said, without times and closing.
  ///
  /// - Throws: ``ExpectationFailure`` when the transcript has lost its beginning.
  public var conversation: Conversation {
    get throws {
      if omittedBytes > 0 {
        throw ExpectationFailure(
          "the transcript has lost its first \(omittedBytes) bytes, and is no conversation")
      }
      return Conversation(steps)
    }
  }

  private var steps: [Conversation.Step] {
    entries.compactMap { entry in
      switch entry.event {
      case .sent(let bytes): .sent(bytes)
      case .received(let bytes): .received(bytes)
      case .finished: .finished
      case .ended: .ended
      case .reset: .reset
      case .failed, .closed: nil
      }
    }
  }
}
