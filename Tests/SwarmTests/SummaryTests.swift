import MultiClient
import Testing

@testable import swarm

@Suite("The summary")
struct SummaryTests {
  /// 1 to 1,000 times a hundred microseconds.
  private var summary: Summary {
    var summary = Summary(heading: "3 connections to nowhere")
    summary.elapsed = .milliseconds(1500)
    summary.connections = Summary.Connections(asked: 3, opened: 3, opening: .milliseconds(12))
    summary.messages = Summary.Messages(sent: 1000, right: 1000, wrong: 0)
    summary.bytesReceived = 66_000
    summary.bytesSent = 66_000
    for number in 1...3 { summary.connecting.record(.milliseconds(number)) }
    for number in 1...1000 { summary.replies.record(.microseconds(number * 100)) }
    return summary
  }

  private var failed: Summary {
    var summary = summary
    summary.messages = Summary.Messages(sent: 1003, right: 1000, wrong: 1)
    summary.signal = 2
    summary.errors.count("reset", times: 12) { "connection 7 to here: reset by the peer" }
    summary.errors.count("wrong reply") { "expected \"a\", got \"\u{1b}\\\"" }
    return summary
  }

  @Test("is aligned, and fits into 80 columns")
  func text() {
    let text = """

        connections  3 of 3 opened in 12.0 ms
        messages     1,000 sent, 1,000 replies right
        throughput   667 replies/s in 1.50 s, 44.0 kB/s in, 44.0 kB/s out

                        50 %      90 %      99 %    99.9 %       max
        to connect   2.02 ms   3.00 ms   3.00 ms   3.00 ms   3.00 ms
        to reply     50.3 ms   90.2 ms   99.6 ms    100 ms    100 ms

        up to 100 µs    1  ▏
        up to 200 µs    1  ▏
        up to 500 µs    3  ▍
        up to   1 ms    5  ▋
        up to   2 ms   10  █▏
        up to   5 ms   30  ███▌
        up to  10 ms   50  █████▊
        up to  20 ms  101  ███████████▋
        up to  50 ms  302  ██████████████████████████████████▋
        up to 100 ms  497  █████████████████████████████████████████████████████████

      no errors: every reply was right

      """
    #expect(summary.text(width: 80) == text)
  }

  @Test("shows errors by class, most frequent first, with one example each, and what ended it")
  func errors() {
    let text = failed.text(width: 80)
    #expect(text.contains("1,003 sent, 1,000 replies right, 1 wrong, 2 without reply\n"))
    #expect(
      text.hasSuffix(
        """

        ended before its time by SIGINT
        13 errors
          12  reset
              such as connection 7 to here: reset by the peer
           1  wrong reply
              such as expected "a", got "\\u{1b}\\"

        """))
    #expect(!text.contains("no errors"))
  }

  @Test("is no wider than the terminal, whatever its width", arguments: [20, 46, 60, 79, 120])
  func widths(width: Int) {
    let lines = summary.text(width: max(width, 46)).split(separator: "\n")
    for line in lines { #expect(line.count <= max(width, 46), "\(line)") }
    #expect(!summary.text(width: width).isEmpty)
  }

  @Test("the program's status follows from it")
  func status() {
    #expect(summary.exitStatus == 0)
    #expect(failed.exitStatus == 130)
    var wrong = failed
    wrong.signal = nil
    #expect(wrong.exitStatus == 1)
  }

  @Test("nothing at all can be summed up as well")
  func nothing() {
    let text = Summary(heading: "").text(width: 80)
    #expect(text.contains("0 of 0 opened\n"))
    #expect(text.contains("0 sent, 0 replies right\n"))
  }

  @Test("JSON brings everything back as it was")
  func json() throws {
    for summary in [summary, failed, Summary(heading: "\"\\\n\u{1}é🐝")] {
      let back = try Summary(json: JSON(parsing: summary.json.text))
      #expect(back == summary)
    }
  }

  @Test("merged summaries are as exact as one run that had done it all")
  func merge() throws {
    let whole = failed
    var (left, right) = (whole, whole)
    (left.replies, right.replies) = (LatencyHistogram(), LatencyHistogram())
    for number in 1...1000 {
      if number % 3 == 0 {
        left.replies.record(.microseconds(number * 100))
      } else {
        right.replies.record(.microseconds(number * 100))
      }
    }
    right.elapsed = .milliseconds(500)
    let merged = try Summary(json: JSON(parsing: left.json.text)).merged(
      with: Summary(json: JSON(parsing: right.json.text)))
    #expect(merged.runs == 2)
    #expect(merged.replies == whole.replies)
    #expect(merged.elapsed == .milliseconds(1500))
    #expect(merged.connections.asked == 6)
    #expect(merged.messages.unanswered == 4)
    #expect(merged.errors.total == 26)
    #expect(merged.errors.sorted.map(\.count) == [24, 2])
    #expect(merged.heading == whole.heading)
    #expect(merged.text(width: 80).contains("by 2 runs"))
  }

  @Test(
    "what is no summary is refused with a reason",
    arguments: [
      ("{}", "\"swarm\""), ("[]", "\"swarm\""), ("{\"swarm\": 2}", "version is 2"), ("", "byte 0"),
      ("{\"swarm\": 1}", "\"heading\""), ("{\"swarm\": -1}", "no whole number"),
      ("{\"swarm\": \"1\"}", "no whole number"),
    ])
  func refused(text: String, reason: String) throws {
    let error = try #require(throws: JSONError.self) { try Summary(json: JSON(parsing: text)) }
    #expect("\(error)".contains(reason))
  }

  @Test("numbers that cannot be added up are no reason to trap")
  func huge() throws {
    let text = summary.json.text
      .replacing("\"elapsed_ns\": 1500000000", with: "\"elapsed_ns\": 1")
      .replacing("\"asked\": 3", with: "\"asked\": \(Int.max)")
      .replacing("\"sent\": 1000", with: "\"sent\": \(UInt64.max)")
    let huge = try Summary(json: JSON(parsing: text))
    let merged = huge.merged(with: huge)
    #expect(merged.connections.asked == Int.max)
    #expect(merged.messages.sent == UInt64.max)
    #expect(!merged.text(width: 80).isEmpty)
  }

  @Test("a row shows up however few are in it, and rows are as fine as they have to be")
  func histograms() {
    var histogram = LatencyHistogram()
    #expect(HistogramBars(histogram).text(width: 80).isEmpty)
    histogram.record(.microseconds(70))
    #expect(HistogramBars(histogram).rows.count == 1)
    for _ in 0..<100_000 { histogram.record(.milliseconds(40)) }
    let rows = HistogramBars(histogram).rows
    #expect(rows.first == HistogramBars.Row(limit: .microseconds(100), count: 1))
    #expect(rows.last == HistogramBars.Row(limit: .milliseconds(50), count: 100_000))
    #expect(rows.dropFirst().dropLast().allSatisfy { $0.count == 0 })
    #expect(
      HistogramBars(histogram).text(width: 80).hasPrefix(
        "  up to 100 µs        1  ▏\n  up to 200 µs        0\n"))
    histogram.record(.seconds(100_000_000_000))
    #expect(HistogramBars(histogram).rows.map(\.count).reduce(0, +) == 100_002)
  }
}
