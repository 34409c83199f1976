import MultiClient

/// What went wrong with a connection or a reply: a class to count it by, and how it was this time.
struct Flaw: Equatable, Sendable {
  let kind: String
  let example: String

  private init(kind: String, _ example: String) {
    self.kind = kind
    self.example = example
  }

  /// Those that have names here; others are named by their errno.
  enum Kind: String {
    case wrongReply = "wrong reply"
    case noReply = "no reply in time"
    case unasked = "unasked input"
    case endedEarly = "ended early"
    case refused
    case reset
    case connectTimedOut = "connect timed out"
    case unresolved = "name not found"
  }

  init(_ kind: Kind, _ example: String) { self.init(kind: kind.rawValue, example) }

  /// What an outcome tells of a connection that had not done; `nil` if that is nothing bad.
  init?(_ result: TargetResult, connection: Int, to target: Target) {
    let example = "connection \(connection) to \(target): \(result)"
    switch result {
    case .cancelled: return nil
    case .timedOut: self.init(.connectTimedOut, example)
    case .finished(.reset): self.init(.reset, example)
    case .finished(.closed), .finished(.closedByPeer):
      self.init(.endedEarly, "connection \(connection) to \(target): the peer ended it before its last reply")
    case .finished(.failed(let errno, _)): self.init(kind: errno.name, example)
    case .finished(.framing): self.init(kind: "reply too long", example)
    case .finished(let reason): self.init(kind: reason.kind.rawValue, example)
    case .failed(let error): self.init(kind: Self.kind(of: error), "connection \(connection): \(error)")
    }
  }

  private static func kind(of error: SocketError) -> String {
    switch error {
    case .failed(let errno, _, _): errno.name == "ECONNREFUSED" ? Kind.refused.rawValue : errno.name
    case .connectFailed(_, let failures): failures.last.map { kind(of: $0.error) } ?? "connect"
    case .unresolved: Kind.unresolved.rawValue
    case .timedOut: Kind.connectTimedOut.rawValue
    case .reset: Kind.reset.rawValue
    default: "connect"
    }
  }
}
