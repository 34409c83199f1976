import MultiClient

/// Sends a line when it is connected, keeps what comes, and closes after so many lines.
struct Asker: ConnectionHandler {
  var question: String?
  var enough = 1
  var lines: [String] = []
  var wasConnected = false
  var localHost: String?
  var reasons: [CloseReason] = []
  var ends = 0

  mutating func connected(_ context: borrowing HandlerContext<LineFraming>) throws {
    wasConnected = true
    localHost = context.localAddress?.host
    if let question { try context.send(question) }
  }

  mutating func received(_ line: String, _ context: borrowing HandlerContext<LineFraming>) throws {
    lines.append(line)
    if lines.count == enough { context.close() }
  }

  mutating func endOfInput(_ context: borrowing HandlerContext<LineFraming>) throws {
    ends += 1
    context.close()
  }

  mutating func closed(_ reason: CloseReason) { reasons.append(reason) }
}

extension MultiClient.Outcomes {
  /// All of them.
  func all() async -> [MultiClient.Outcome] {
    var outcomes: [MultiClient.Outcome] = []
    for await outcome in self { outcomes.append(outcome) }
    return outcomes
  }
}
