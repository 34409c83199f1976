import Testing

@testable import AsyncSockets

@Suite("A socket option")
struct SocketOptionTests {
  @Test(
    "with a value that cannot work is refused in words",
    arguments: [
      (
        .keepAlive(idle: .zero, interval: .seconds(1), count: 1),
        "keepAlive(idle:) must be from 1 to 32767 s, not 0 s"
      ),
      (.keepAlive(idle: .seconds(1.5), interval: .seconds(40_000), count: 1), "not 40000 s"),
      (.userTimeout(.milliseconds(-1500)), "not -1.5 s"),
      (.keepAlive(idle: .seconds(32768), interval: .seconds(1), count: 1), "keepAlive(idle:)"),
      (.keepAlive(idle: .seconds(1), interval: .milliseconds(999), count: 1), "keepAlive(interval:)"),
      (
        .keepAlive(idle: .seconds(1), interval: .seconds(1), count: 0),
        "keepAlive(count:) must be from 1 to 127"
      ),
      (.keepAlive(idle: .seconds(1), interval: .seconds(1), count: 128), "not 128"),
      (.userTimeout(.seconds(-1)), "userTimeout must be from 0"),
      (.userTimeout(.seconds(Int64.max)), "userTimeout"),
      (.sendBuffer(0), "sendBuffer must be at least 1 byte, not 0"),
      (.receiveBuffer(.min), "receiveBuffer must be at least 1 byte"),
    ] as [(SocketOption, String)])
  func problems(option: SocketOption, problem: String) {
    let error = #expect(throws: SocketError.self) { try option.validate() }
    #expect(error?.description.hasPrefix("invalid argument: ") == true)
    #expect(error?.description.contains(problem) == true)
  }

  @Test("at the edge of its range is taken")
  func edges() throws {
    for option: SocketOption in [
      .keepAlive(idle: .seconds(1), interval: .seconds(32767), count: 127), .userTimeout(.zero),
      .userTimeout(.milliseconds(Int32.max)), .sendBuffer(1), .receiveBuffer(.max), .noDelay(false),
      .noKeepAlive, .reusePort(), .raw(level: -1, name: -1, value: .min),
    ] {
      try option.validate()
    }
  }

  @Test("that is a duration is rounded up to what the kernel counts in")
  func rounding() {
    #expect(SocketOption.userTimeout(.microseconds(1)).settings.map(\.value) == [1])
    #expect(SocketOption.userTimeout(.milliseconds(20)).settings.map(\.value) == [20])
    let keepAlive = SocketOption.keepAlive(idle: .milliseconds(1001), interval: .seconds(3), count: 2)
    #expect(keepAlive.settings.map(\.value) == [2, 3, 2, 1])
  }

  @Test("of TCP_INFO that the kernel has not filled is unknown, at every length")
  func tcpInfoLengths() {
    let bytes = (0..<TCPInfo.size).map { UInt8(truncatingIfNeeded: $0) }
    for length in 0...TCPInfo.size {
      let info = TCPInfo(bytes.prefix(length))
      #expect((info == nil) == (length < 104))
      #expect((info?.bytesAcknowledged == nil) == (length < 128))
      #expect((info?.bytesReceived == nil) == (length < 136))
      #expect((info?.unsentBytes == nil) == (length < 148))
      #expect((info?.minimumRoundTripTime == nil) == (length < 152))
      #expect((info?.deliveryRate == nil) == (length < 168))
      #expect((info?.bytesRetransmitted == nil) == (length < 216))
    }
    let info = TCPInfo(bytes[...])
    #expect(info?.state == nil)
    #expect(info?.roundTripTime == .microseconds(0x4746_4544))
    #expect(info?.bytesAcknowledged == 0x7f7e_7d7c_7b7a_7978)
  }
}
