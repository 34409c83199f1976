import AsyncSockets
import Testing

@testable import TCPClient

@Suite("The watch over a server's silence")
struct SilenceWatchTests {
  private func at(_ seconds: Int64) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: seconds * 1_000_000_000)
  }

  private func watch() -> SilenceWatch {
    SilenceWatch(
      interval: .seconds(10), silence: .seconds(25), now: at(0),
      arrived: ArrivedInput(bytesRead: 5, unread: 0))
  }

  @Test("beats once in each interval, and finds a server dead that has said nothing for too long")
  func silent() {
    var watch = watch()
    #expect(watch.look(at: at(0), bytesRead: 5) == .wait(until: at(10)))
    #expect(watch.look(at: at(10), bytesRead: 5) == .beat)
    #expect(watch.look(at: at(10), bytesRead: 5) == .wait(until: at(20)))
    #expect(watch.look(at: at(20), bytesRead: 5) == .beat)
    #expect(watch.look(at: at(20), bytesRead: 5) == .wait(until: at(25)))
    #expect(watch.look(at: at(25), bytesRead: 5) == .dead(after: .seconds(25)))
  }

  @Test("counts the silence from the last look at which there was news")
  func news() {
    var watch = watch()
    #expect(watch.look(at: at(20), bytesRead: 6) == .beat)
    #expect(watch.look(at: at(44), bytesRead: 6) == .beat)
    #expect(watch.look(at: at(44), bytesRead: 6) == .wait(until: at(45)))
    #expect(watch.look(at: at(45), bytesRead: 6) == .dead(after: .seconds(25)))
  }

  @Test("takes what arrives for news, whether it is read or not, and what lies unread for none")
  func unread() {
    var watch = watch()
    #expect(watch.look(at: at(100), bytesRead: 5, unread: 7) == .beat)
    #expect(watch.look(at: at(120), bytesRead: 5, unread: 7) == .beat)
    #expect(watch.look(at: at(124), bytesRead: 12) == .wait(until: at(125)), "reading it is no news either")
    #expect(watch.look(at: at(125), bytesRead: 12) == .dead(after: .seconds(25)))
  }

  @Test("finds nobody silent while so much lies unread that the peer may wait for room")
  func full() {
    var watch = watch()
    #expect(watch.look(at: at(100), bytesRead: 5, unread: 16_384) == .beat)
    #expect(watch.look(at: at(200), bytesRead: 5, unread: 16_384) == .beat)
    #expect(watch.look(at: at(300), bytesRead: 16_389) == .dead(after: .seconds(100)))
  }

  @Test("does not make up for beats that were missed while the process was stopped")
  func stopped() {
    var watch = watch()
    #expect(watch.look(at: at(1000), bytesRead: 6) == .beat)
    #expect(watch.look(at: at(1000), bytesRead: 6) == .wait(until: at(1010)))
  }
}

extension SilenceWatch {
  fileprivate mutating func look(at now: EventLoop.Instant, bytesRead: UInt64, unread: Int = 0) -> Action {
    look(at: now, arrived: ArrivedInput(bytesRead: bytesRead, unread: unread))
  }
}
