/// Something that happened to a request.
public struct HistoryEvent<Request: Sendable, Reply: Equatable & Sendable>: Sendable {
  /// What can happen to a request.
  public enum Kind: Sendable {
    /// A client begins to ask.
    case began(Request)
    /// A server has done what was asked; with its answer, where that is recorded.
    case executed(Reply?)
    /// The client has this reply.
    case replied(Reply)
    /// The client has this error, which says that nobody has done what was asked, and nobody will.
    case failed(any Error)
    /// The client has this error, and what was asked may have been done, or may yet be.
    case unknown(any Error)
  }

  /// Which request.
  public let id: String
  /// What happened to it.
  public let kind: Kind
  /// On which host of a simulation; `nil` outside of one.
  public let host: String?
  /// Over which connection, or on behalf of whom: requests of one are expected in order. `nil` where that was not said.
  public let connection: String?
  /// When: in the time of the simulation, or of the event loop, since the history began.
  public let time: Duration
}

extension HistoryEvent {
  var isOutcome: Bool {
    switch kind {
    case .replied, .failed, .unknown: true
    case .began, .executed: false
    }
  }

  /// What happened, and the details if there are any.
  var words: (verb: String, details: String) {
    switch kind {
    case .began(let request): ("began", "\(request)")
    case .executed(let reply): ("executed", reply.map { "\($0)" } ?? "")
    case .replied(let reply): ("replied", "\(reply)")
    case .failed(let error): ("failed", "\(error)")
    case .unknown(let error): ("unknown", "\(error)")
    }
  }

  /// One line without its time and host: `began 3: PUT x 1`.
  var text: String {
    let (verb, details) = words
    return "\(verb) \(id)" + (details.isEmpty ? "" : ": \(details)")
  }
}
