import AsyncSockets

extension EventLoop.Instant {
  static func at(_ seconds: Double) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: Int64((seconds * 1e9).rounded()))
  }
}
