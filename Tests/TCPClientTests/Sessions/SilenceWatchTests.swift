import AsyncSockets
import Testing

@testable import TCPClient

@Suite("The watch over a server's silence")
struct SilenceWatchTests {
  private func at(_ seconds: Int64) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: seconds * 1_000_000_000)
  }

  private func watch() -> SilenceWatch {
    SilenceWatch(interval: .seconds(10), silence: .seconds(25), now: at(0), bytesRead: 5)
  }

  @Test("beats once in each interval, and finds a server dead that has said nothing for too long")
  func silent() {
    var watch = watch()
    #expect(watch.look(at: at(0), bytesRead: 5, hasUnread: false) == .wait(until: at(10)))
    #expect(watch.look(at: at(10), bytesRead: 5, hasUnread: false) == .beat)
    #expect(watch.look(at: at(10), bytesRead: 5, hasUnread: false) == .wait(until: at(20)))
    #expect(watch.look(at: at(20), bytesRead: 5, hasUnread: false) == .beat)
    #expect(watch.look(at: at(20), bytesRead: 5, hasUnread: false) == .wait(until: at(25)))
    #expect(watch.look(at: at(25), bytesRead: 5, hasUnread: false) == .dead(after: .seconds(25)))
  }

  @Test("counts the silence from the last look at which there was news")
  func news() {
    var watch = watch()
    #expect(watch.look(at: at(20), bytesRead: 6, hasUnread: false) == .beat)
    #expect(watch.look(at: at(44), bytesRead: 6, hasUnread: false) == .beat)
    #expect(watch.look(at: at(44), bytesRead: 6, hasUnread: false) == .wait(until: at(45)))
    #expect(watch.look(at: at(45), bytesRead: 6, hasUnread: false) == .dead(after: .seconds(25)))
  }

  @Test("takes what has arrived and was not read for news")
  func unread() {
    var watch = watch()
    #expect(watch.look(at: at(100), bytesRead: 5, hasUnread: true) == .beat)
    #expect(watch.look(at: at(124), bytesRead: 5, hasUnread: false) == .beat)
    #expect(watch.look(at: at(125), bytesRead: 5, hasUnread: false) == .dead(after: .seconds(25)))
  }

  @Test("does not make up for beats that were missed while the process was stopped")
  func stopped() {
    var watch = watch()
    #expect(watch.look(at: at(1000), bytesRead: 6, hasUnread: false) == .beat)
    #expect(watch.look(at: at(1000), bytesRead: 6, hasUnread: false) == .wait(until: at(1010)))
  }
}
