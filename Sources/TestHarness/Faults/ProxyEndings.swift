/// Decides from what befalls its two directions how a connection through a proxy ends. Pure.
struct ProxyEndings {
  /// What befalls a direction.
  enum Event {
    /// The end of the stream was passed on.
    case ended
    /// The receiver takes nothing any more. What is read from it tells why, and passes through the other direction's
    /// faults, unless that has ended already.
    case refused
    case severed(Severance)
  }

  private var hasEnded = [false, false]
  private var isRefused = [false, false]

  /// - Parameter direction: 0 or 1.
  /// - Returns: how the connection ends now, if it does.
  mutating func note(_ event: Event, in direction: Int) -> Severance? {
    switch event {
    case .ended:
      hasEnded[direction] = true
      if hasEnded[1 - direction] { return .close }
      return isRefused[1 - direction] ? .reset : nil
    case .refused:
      isRefused[direction] = true
      return hasEnded[1 - direction] || isRefused[1 - direction] ? .reset : nil
    case .severed(let severance): return severance
    }
  }
}
