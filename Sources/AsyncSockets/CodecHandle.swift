import Synchronization

/// A framed connection, for those who need not know its codec.
protocol CodecHandle: AnyObject, Sendable {
  var core: ConnectionCore { get }

  /// Whether another codec has taken over; it does so under the lock of the connection's state.
  var isSwitched: Bool { get }
}

extension FramedConnection: CodecHandle {
  var isSwitched: Bool { phase.load(ordering: .relaxed) == .switched }
}
