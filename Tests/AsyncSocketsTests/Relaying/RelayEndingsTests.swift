import Testing

@testable import AsyncSockets

@Suite("How a relay ends")
struct RelayEndingsTests {
  private let reset = SocketError.reset(Errno(rawValue: 104), call: "recv", peer: nil)
  private let pipe = SocketError.failed(Errno(rawValue: 32), call: "send", address: nil)

  private func stream(_ bytes: UInt64, _ ending: ForwardedStream.Ending = .ended) -> ForwardedStream {
    ForwardedStream(bytes: bytes, ending: ending)
  }

  private func expect(
    _ mustReset: Bool, _ answer: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(answer == mustReset, sourceLocation: sourceLocation)
  }

  @Test("two streams that ended need no reset")
  func bothEnd() {
    var endings = RelayEndings()
    expect(false, endings.note(stream(3), from: 1))
    expect(false, endings.note(stream(5), from: 0))
    let report = endings.report
    #expect(report.first.bytes == 5 && report.first.ending == .ended)
    #expect(report.second.bytes == 3 && report.second.ending == .ended)
  }

  @Test("a side whose stream breaks has the other reset at once")
  func sourceFails() {
    var endings = RelayEndings()
    expect(true, endings.note(stream(1, .sourceFailed(reset)), from: 1))
    expect(true, endings.note(stream(2, .sourceFailed(.closed)), from: 0))
    #expect(endings.report.second.ending == .failed(reset))
    #expect(endings.report.first.ending == .reset)
  }

  @Test("a side that takes nothing more may still say how it ended, and then the other is reset")
  func destinationFails() {
    var endings = RelayEndings()
    expect(false, endings.note(stream(1, .destinationFailed(pipe)), from: 0))
    expect(true, endings.note(stream(2), from: 1))
    #expect(endings.report.second.ending == .failed(pipe))
    #expect(endings.report.first.ending == .reset)
  }

  @Test("a side that breaks after it has ended its stream has failed")
  func endedThenFails() {
    var endings = RelayEndings()
    expect(false, endings.note(stream(2), from: 1))
    expect(true, endings.note(stream(1, .destinationFailed(reset)), from: 0))
    #expect(endings.report.second.ending == .failed(reset))
    #expect(endings.report.first.ending == .reset)
  }

  @Test("a side that was closed by somebody else has failed, and only the first of the two")
  func closed() {
    var endings = RelayEndings()
    expect(true, endings.note(stream(0, .sourceFailed(.closed)), from: 0))
    expect(true, endings.note(stream(0, .destinationFailed(.closed)), from: 1))
    #expect(endings.report.first.ending == .failed(.closed))
    #expect(endings.report.second.ending == .reset)
  }

  @Test("two sides that break each by itself have both failed, each by its first error")
  func bothFail() {
    var endings = RelayEndings()
    expect(false, endings.note(stream(0, .destinationFailed(pipe)), from: 0))
    expect(true, endings.note(stream(0, .destinationFailed(reset)), from: 1))
    #expect(endings.report.first.ending == .failed(reset))
    #expect(endings.report.second.ending == .failed(pipe))
  }
}
