/// What one `ProcessSignals` has received and not yet handed out.
final class SignalInbox: Sendable {
  private struct State {
    var pending = SignalSet()
    var arrived = Latch()
    var hasEnded = false
  }

  let signals: SignalSet
  private let state = Lock(State())

  init(signals: SignalSet) { self.signals = signals }

  func receive(_ received: SignalSet) {
    let mine = received.intersection(signals)
    guard !mine.isEmpty else { return }
    let arrived = state.withLock { state in
      state.pending.formUnion(mine)
      return state.arrived
    }
    arrived.open()
  }

  /// Nothing will come any more.
  func end() {
    let arrived = state.withLock { state in
      state.hasEnded = true
      return state.arrived
    }
    arrived.open()
  }

  /// The next signal, or `nil` when the task is cancelled or the loop has stopped.
  func next(on loop: EventLoop) async -> ProcessSignals.Signal? {
    while true {
      let (signal, arrived) = state.withLock { state -> (Int32?, Latch?) in
        if let signal = state.pending.removeFirst() { return (signal, nil) }
        if state.hasEnded { return (nil, nil) }
        if state.arrived.isOpen { state.arrived = Latch() }
        return (nil, state.arrived)
      }
      if let signal { return ProcessSignals.Signal(rawValue: signal) }
      guard let arrived else { return nil }
      if case .cancelled = await arrived.wait(on: loop) { return nil }
    }
  }
}
