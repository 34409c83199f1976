import TCPClient
import TestHarness

/// What a client told of itself, in order.
final class ClientLog: Sendable {
  private let storage = Lock<[TCPClient.Event]>([])

  var events: [TCPClient.Event] { storage.withLock { $0 } }

  /// The events as lines, without what differs from run to run.
  var lines: [String] {
    events.map { event in
      switch event {
      case .connecting(let attempt): "connecting \(attempt.number)"
      case .attemptFailed(let attempt, let failure): "failed \(attempt.number): \(Self.word(failure))"
      case .connected(let attempt, _): "connected \(attempt.number)"
      case .healthy(let attempt): "healthy \(attempt.number)"
      case .bodyFailed(let attempt, let error): "body failed \(attempt.number): \(error)"
      case .closed(let attempt, let reason, _): "closed \(attempt.number): \(reason)"
      case .backingOff: "backing off"
      case .retargeted: "retargeted"
      case .ended(let ending): "ended: \(Self.word(ending))"
      }
    }
  }

  /// Why connections ended, in order.
  var reasons: [CloseReason] {
    events.compactMap { if case .closed(_, let reason, _) = $0 { reason } else { nil } }
  }

  var pauses: [Duration] {
    events.compactMap { if case .backingOff(let pause, _) = $0 { pause } else { nil } }
  }

  var connectedCount: Int {
    events.count { if case .connected = $0 { true } else { false } }
  }

  /// A configuration whose events come here.
  func configuration(
    _ reconnect: ReconnectPolicy = ReconnectPolicy(),
    _ change: (inout TCPClient.Configuration) -> Void = { _ in }
  ) -> TCPClient.Configuration {
    var configuration = TCPClient.Configuration()
    configuration.reconnect = reconnect
    configuration.onEvent = { [self] event in storage.withLock { $0.append(event) } }
    change(&configuration)
    return configuration
  }

  /// What is wrong with the order of the events: each attempt must have one outcome, and each connection one end.
  var disorder: String? {
    var open: (attempt: Int, isConnected: Bool)?
    var last = 0
    for event in events {
      switch event {
      case .connecting(let attempt):
        if open != nil || attempt.number != last + 1 { return "\(event) out of turn" }
        last = attempt.number
        open = (last, false)
      case .attemptFailed(let attempt, _):
        guard let current = open, current == (attempt.number, false) else { return "\(event) out of turn" }
        open = nil
      case .connected(let attempt, _):
        guard let current = open, current == (attempt.number, false) else { return "\(event) out of turn" }
        open = (attempt.number, true)
      case .healthy(let attempt), .bodyFailed(let attempt, _):
        guard let current = open, current == (attempt.number, true) else { return "\(event) out of turn" }
      case .closed(let attempt, _, _):
        guard let current = open, current == (attempt.number, true) else { return "\(event) out of turn" }
        open = nil
      case .backingOff, .ended: if open != nil { return "\(event) out of turn" }
      case .retargeted: break
      }
    }
    return open == nil ? nil : "attempt \(last) has no outcome"
  }

  private static func word(_ failure: TCPClient.AttemptFailure) -> String {
    switch failure {
    case .unreachable: "unreachable"
    case .refused(let error): "refused: \(error)"
    case .cancelled: "cancelled"
    case .retargeted: "retargeted"
    }
  }

  private static func word(_ ending: TCPClient.Ending) -> String {
    switch ending {
    case .finished: "finished"
    case .cancelled: "cancelled"
    case .failed(let error): "failed: \(error)"
    case .gaveUp(let attempts, _): "gave up after \(attempts)"
    }
  }
}
