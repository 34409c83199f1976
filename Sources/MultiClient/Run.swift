import AsyncSockets

/// Targets that belong together, and where their outcomes go: those of one `run` on one loop, or all that `connect` adds.
final class Run<Handler: ConnectionHandler>: Sendable {
  /// Where its targets come from.
  enum Supply {
    /// None, or no more.
    case none
    /// A sequence that is drawn from on the loop.
    case source(TargetSource<Handler>)
    /// Somebody elsewhere, who is asked, and how to tell that no more are wanted.
    case feeder(cancel: @Sendable () -> Void)
  }

  /// Touched by the loop's thread alone.
  struct State {
    var supply = Supply.none
    /// The feeder, which waits to be asked for its next.
    var hungryFeeder: (@Sendable () -> Void)?
    var queue = TargetQueue<Member<Handler>>()
    /// How many are there without an outcome.
    var members = 0
    /// A feeder has been asked and has not answered: it may have drawn targets, which are to have their outcomes.
    var isFed = false
    /// How it was ended, until somebody is added after that.
    var ending: Ending?
    /// It is over as soon as nobody is left.
    var endsWhenIdle = false
    var isOver = false
    /// Of those that are added: whether there ever was one.
    var isUsed = false
    /// As many outcomes as may be wait to be taken.
    var isWaitingForRoom = false
  }

  let inbox: any Inbox<MultiClient<Handler>.Outcome>
  let local = LoopConfined(State())

  init(into inbox: any Inbox<MultiClient<Handler>.Outcome>) {
    self.inbox = inbox
    inbox.enter()
  }

  /// Whether nobody is left, and nobody will come.
  var isDone: Bool {
    guard local.value.endsWhenIdle, local.value.members == 0, !local.value.isFed,
      case .none = local.value.supply
    else {
      return false
    }
    return true
  }

  /// Asks the feeder for its next.
  func wakeFeeder() { local.value.hungryFeeder.take()?() }
}

/// How everything comes to its end.
enum Ending { case close, abort, cancel }

/// Targets that are made when they are needed. Touched by the loop's thread alone.
final class TargetSource<Handler: ConnectionHandler> {
  let next: () -> Target?
  let handler: (Target, ConnectionID) -> Handler

  init(handler: @escaping (Target, ConnectionID) -> Handler, _ next: @escaping () -> Target?) {
    self.handler = handler
    self.next = next
  }
}
