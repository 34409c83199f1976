extension CloseReason {
  /// What sort of end it was, for counting: a reason without its details.
  public var kind: Kind {
    switch self {
    case .closed: .closed
    case .aborted: .aborted
    case .closedByPeer: .closedByPeer
    case .reset: .reset
    case .truncated: .truncated
    case .limit: .limit
    case .drained: .drained
    case .cancelled: .cancelled
    case .retargeted: .retargeted
    case .handlerThrew: .handlerThrew
    case .framing: .framing
    case .timedOut: .timedOut
    case .failed: .failed
    }
  }

  /// The sorts of ends; each is described at the case of `CloseReason` that has its name.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// See `CloseReason.closed`.
    case closed
    /// See `CloseReason.aborted`.
    case aborted
    /// See `CloseReason.closedByPeer`.
    case closedByPeer
    /// See `CloseReason.reset`.
    case reset
    /// See `CloseReason.truncated`.
    case truncated
    /// See `CloseReason.limit`.
    case limit
    /// See `CloseReason.drained`.
    case drained
    /// See `CloseReason.cancelled`.
    case cancelled
    /// See `CloseReason.retargeted`.
    case retargeted
    /// See `CloseReason.handlerThrew`.
    case handlerThrew
    /// See `CloseReason.framing`.
    case framing
    /// See `CloseReason.timedOut`.
    case timedOut
    /// See `CloseReason.failed`.
    case failed
  }
}
