import Testing

@testable import swarm

@Suite("The progress line")
struct ProgressTests {
  private var progress: Progress {
    var progress = Progress()
    progress.connections = 2000
    progress.open = 800
    progress.connecting = 200
    progress.waiting = 1000
    progress.replies = 12_345
    progress.rate = 48_123
    progress.elapsed = .seconds(67)
    progress.share = 0.6249
    return progress
  }

  @Test("shows all that there is where there is room")
  func wide() {
    #expect(
      progress.line(width: 120)
        == "█████████████████████████░░░░░░░░░░░░░░░   62 %    800 open  1,200 to open  48.1k/s  0 errors  12,345 replies  1:07"
    )
  }

  @Test("leaves out the least important first, and never is too wide")
  func narrow() {
    #expect(progress.line(width: 60) == "█████████████▊░░░░░░░░   62 %    800 open  48.1k/s  0 errors")
    #expect(progress.line(width: 40) == "██████▉░░░░   62 %    800 open  0 errors")
    #expect(progress.line(width: 26) == "███████████▉░░░░░░░   62 %")
    for width in 0...200 { #expect(progress.line(width: width).count <= width) }
  }

  @Test("is as wide whatever the numbers, so that nothing jumps")
  func steady() {
    var full = progress
    full.open = 2000
    full.connecting = 0
    full.waiting = 0
    var beginning = full
    beginning.open = 3
    beginning.share = 0
    beginning.rate = 7
    beginning.replies = 0
    for width in [40, 60, 80, 100, 120] {
      let (one, other) = (full.line(width: width), beginning.line(width: width))
      #expect(one.count == other.count)
    }
  }

  @Test("is a plain sentence elsewhere")
  func plain() {
    #expect(
      progress.plainLine == "1:07  62 %, 800 open, 1,200 to open, 12,345 replies, 48.1k/s, 0 errors")
  }

  @Test("counts from what has happened, by time or by replies, whichever is further")
  func share() {
    var options = Options()
    options.connections = 10
    options.messages = 10
    var counts = Tally.Counts()
    counts.begun = 8
    counts.opened = 5
    counts.failed = 1
    counts.closed = 2
    counts.right = 25
    let progress = Progress(options, counts, elapsed: .seconds(1), rate: 3)
    #expect(progress.waiting == 2)
    #expect(progress.connecting == 2)
    #expect(progress.open == 3)
    #expect(progress.share == 0.25)
    options.duration = .seconds(2)
    #expect(Progress(options, counts, elapsed: .seconds(1), rate: 3).share == 0.5)
    #expect(Progress(options, counts, elapsed: .seconds(9), rate: 3).share == 1)
  }

  @Test("the rate is that of the last second")
  func rate() {
    var meter = RateMeter()
    #expect(meter.perSecond == 0)
    for tick in 1...30 { meter.note(UInt64(tick * 10), at: .milliseconds(tick * 100)) }
    #expect(meter.perSecond == 100)
    for tick in 31...50 { meter.note(300, at: .milliseconds(tick * 100)) }
    #expect(meter.perSecond == 0)
  }

  @Test("bars are exact to an eighth, and stay within their width")
  func bars() {
    #expect(Bar.text(share: 0, width: 4) == "")
    #expect(Bar.text(share: 1, width: 4) == "████")
    #expect(Bar.text(share: 0.53125, width: 4) == "██▏")
    #expect(Bar.text(share: 0.5, width: 4, isTrack: true) == "██░░")
    #expect(Bar.text(share: 7, width: 4) == "████")
    #expect(Bar.text(share: -1, width: 4) == "")
  }
}
