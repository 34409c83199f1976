import AsyncSockets
import Testing

@testable import swarm

@Suite("When each message goes")
struct PaceTests {
  private let began = EventLoop.Instant(nanoseconds: 5_000_000_000)

  private func at(_ milliseconds: Int) -> EventLoop.Instant {
    began.advanced(by: .milliseconds(milliseconds))
  }

  @Test("without a rate, as its reply comes, or a think time later")
  func replies() {
    var options = Options()
    #expect(Pace(options, began: began).first(9, now: at(3)) == at(3))
    #expect(Pace(options, began: began).next(after: at(3), now: at(7)) == at(7))
    options.think = .milliseconds(50)
    #expect(Pace(options, began: began).next(after: at(3), now: at(7)) == at(57))
  }

  @Test("with a rate, each connection has slots of its own, whenever it is connected")
  func rate() {
    var options = Options()
    options.connections = 10
    options.rate = 100
    let pace = Pace(options, began: began)
    #expect((1...10).map { pace.first($0, now: began) } == (0..<10).map { at($0 * 10) })
    #expect(pace.first(3, now: at(20)) == at(20))
    #expect(pace.first(3, now: at(21)) == at(120))
    #expect(pace.first(3, now: at(450)) == at(520))
    #expect(pace.next(after: at(120), now: at(121)) == at(220))
    #expect(pace.next(after: at(120), now: at(990)) == at(220), "who is behind makes up for it")
  }

  @Test("a duration has an end, and without there is none")
  func end() {
    var options = Options()
    #expect(!Pace(options, began: began).isOver(at: at(1_000_000_000)))
    options.duration = .seconds(1)
    #expect(!Pace(options, began: began).isOver(at: at(999)))
    #expect(Pace(options, began: began).isOver(at: at(1000)))
  }
}
