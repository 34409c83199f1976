/// What ``verifyListener(on:checks:limit:connect:bind:)`` checks, one by one.
public enum ListenerCheck: String, ContractCheck {
  case backlog, waits, cancelledAccept, cancelledBefore, secondAcceptor, badOptions
  case closeWakes, acceptAfterClose, closeRefuses, closeKeepsAccepted, closeEndsQueued, nothingLeft

  /// What is promised, in one sentence.
  public var promise: String {
    switch self {
    case .backlog: "connections that come before anybody accepts are kept, in their order, with their bytes"
    case .waits: "an accept waits for a connection, however long that takes to come"
    case .cancelledAccept: "an accept that is cancelled loses no connection"
    case .cancelledBefore: "a task that is cancelled already accepts nothing"
    case .secondAcceptor: "a second task that accepts is refused as busy, and the first is not disturbed"
    case .badOptions: "options that cannot work are refused, and take no connection"
    case .closeWakes: "a close tells whoever waits that the listener is closed"
    case .acceptAfterClose:
      "after the close, accepts are told that it is closed, and another close does no harm"
    case .closeRefuses: "nobody connects after the close"
    case .closeKeepsAccepted: "connections that were accepted outlive the listener"
    case .closeEndsQueued: "connections that nobody accepted end with the listener"
    case .nothingLeft: "a listener that is closed leaves nothing on its loop"
    }
  }

  /// What most likely broke it.
  public var advice: String {
    switch self {
    case .backlog: "the accept queue: its length, and whoever accepts before the caller does"
    case .waits: "deadlines that nobody asked for, and news of connections that is lost"
    case .cancelledAccept, .cancelledBefore: "a connection that is taken from the queue and not handed out"
    case .secondAcceptor: "whatever stands between the listener and its user"
    case .badOptions: "options, which are looked at before a connection is taken"
    case .closeWakes, .acceptAfterClose: "errors that are exchanged for others on the way to the caller"
    case .closeRefuses, .closeEndsQueued: "another descriptor that listens at the same address"
    case .closeKeepsAccepted: "what the close ends beside the listener"
    case .nothingLeft: "what keeps the listener, or a deadline, after the close"
    }
  }
}
