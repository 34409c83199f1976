/// How a message that has begun and is not whole gets on. Pure.
struct MessagePace {
  private let began: EventLoop.Instant
  /// When the period over which the rate is counted began, and what had been read of the connection by then.
  private var periodBegan: EventLoop.Instant
  private var bytesBefore: UInt64

  init(now: EventLoop.Instant, bytesRead: UInt64) {
    began = now
    periodBegan = now
    bytesBefore = bytesRead
  }

  /// Begins the next period if this one is over and brought enough.
  mutating func pass(_ now: EventLoop.Instant, bytesRead: UInt64, _ limits: ConnectionLimits) {
    guard let rate = limits.minimumRate, periodBegan.advanced(by: rate.period) <= now,
      bytesRead - bytesBefore >= rate.bytesPerPeriod
    else { return }
    beginPeriod(now, bytesRead: bytesRead)
  }

  /// From here on another rate counts.
  mutating func beginPeriod(_ now: EventLoop.Instant, bytesRead: UInt64) {
    periodBegan = now
    bytesBefore = bytesRead
  }

  /// The limit that is reached first if nothing more comes in time.
  func next(_ limits: ConnectionLimits) -> (due: EventLoop.Instant, limit: SocketError.Limit) {
    let message = limits.message.map(began.advanced) ?? .never
    let rate = limits.minimumRate.map { periodBegan.advanced(by: $0.period) } ?? .never
    return message <= rate ? (message, .message) : (rate, .minimumRate)
  }
}

/// A message under way. Indirect, since every connection has room for one, and few need it.
indirect enum MessageWatch {
  case underWay(MessagePace)

  var pace: MessagePace {
    get {
      switch self {
      case .underWay(let pace): pace
      }
    }
    set { self = .underWay(newValue) }
  }
}
