/// What a client asks: `alice 7 APPEND x 1`, its seventh request, which it repeats until it is answered.
struct Command: Equatable, Sendable, LosslessStringConvertible {
  enum Action: String { case get = "GET", put = "PUT", append = "APPEND" }

  let client: String
  let number: Int
  let action: Action
  let key: String
  let value: String

  init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
    guard words.count >= 4, let number = Int(words[1]), let action = Action(rawValue: words[2]) else {
      return nil
    }
    (client, self.number, self.action, key) = (words[0], number, action, words[3])
    value = words.count > 4 ? words[4] : ""
  }

  var description: String { "\(client) \(number) \(action.rawValue) \(key) \(value)" }
}

/// The values, and the last reply to each client.
struct Store {
  private var values: [String: String] = [:]
  private var replies: [String: (number: Int, reply: String)] = [:]

  /// Does what is asked; once, however often it is asked.
  ///
  /// - Returns: the value that the key has now, and whether this was done for the first time.
  mutating func apply(_ command: Command) -> (reply: String, isNew: Bool) {
    if let last = replies[command.client], command.number <= last.number { return (last.reply, false) }
    return (execute(command), true)
  }

  /// Does what is asked, again if need be.
  mutating func execute(_ command: Command) -> String {
    switch command.action {
    case .get: break
    case .put: values[command.key] = command.value
    case .append: values[command.key, default: ""] += command.value
    }
    let reply = values[command.key, default: ""]
    replies[command.client] = (command.number, reply)
    return reply
  }
}
