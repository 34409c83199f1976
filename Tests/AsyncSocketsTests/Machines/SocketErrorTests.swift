import Framing
import Glibc
import Testing

@testable import AsyncSockets

@Suite("Errors and reasons")
struct SocketErrorTests {
  @Test(
    "An error number has its name and what the system says of it",
    arguments: [
      (ECONNRESET, "ECONNRESET (Connection reset by peer)"),
      (EADDRINUSE, "EADDRINUSE (Address already in use)"),
      (EMFILE, "EMFILE (Too many open files)"),
      (EPIPE, "EPIPE (Broken pipe)"),
    ])
  func errnos(number: Int32, description: String) {
    #expect(Errno(rawValue: number).description == description)
    #expect(Errno(rawValue: number).rawValue == number)
  }

  @Test("An error number that the system does not know is shown as it is", arguments: [4095, -1, Int32.max])
  func unknownErrno(number: Int32) {
    #expect(Errno(rawValue: number).name == "errno \(number)")
    #expect(Errno(rawValue: number).description == "errno \(number) (unknown error)")
  }

  @Test(
    "A socket error prints the call, the errno and the address",
    arguments: [
      (
        .failed(Errno(EADDRINUSE), call: "bind", address: .loopback(port: 80)),
        "bind 127.0.0.1:80: EADDRINUSE (Address already in use)"
      ),
      (.failed(Errno(EMFILE), call: "eventfd", address: nil), "eventfd: EMFILE (Too many open files)"),
      (
        .reset(.connectionReset, call: "recv", peer: .loopback6(port: 9)),
        "connection reset by [::1]:9: recv: ECONNRESET (Connection reset by peer)"
      ),
      (
        .reset(.connectionReset, call: "send", peer: nil),
        "connection reset by the peer: send: ECONNRESET (Connection reset by peer)"
      ),
      (.timedOut(operation: "read"), "read: the deadline passed"),
      (.invalid("x must be y"), "invalid argument: x must be y"),
      (.busy(operation: "upgrade"), "upgrade: another task is reading from the same connection"),
      (.busy(operation: "accept"), "accept: another task is accepting from the same listener"),
      (.unreadBytes(1), "1 byte received in the clear before the upgrade, which nobody has read"),
      (
        .connectFailed(host: "127.0.0.1", [Self.refusal(.loopback(port: 9))]),
        "connect 127.0.0.1:9: ECONNREFUSED (Connection refused)"
      ),
      (
        .connectFailed(
          host: "localhost", [Self.refusal(.loopback6(port: 9)), Self.refusal(.loopback(port: 9))]),
        "cannot connect to localhost: connect [::1]:9: ECONNREFUSED (Connection refused); "
          + "connect 127.0.0.1:9: ECONNREFUSED (Connection refused)"
      ),
    ] as [(SocketError, String)])
  func descriptions(error: SocketError, description: String) {
    #expect(error.description == description)
  }

  @Test("Every other socket error says what it is about in one line")
  func oneLine() {
    let errors: [SocketError] = [
      .closed, .busy(operation: "accept"), .busy(operation: "read"), .limit(.idle), .limit(.writeStall),
      .switched,
      .loopStopped, .finishedWriting,
    ]
    for error in errors { #expect(!error.description.isEmpty && !error.description.contains("\n")) }
    #expect(SocketError.busy(operation: "accept").description.hasPrefix("accept: "))
    #expect(Set(errors.map(\.description)).count == errors.count)
  }

  @Test(
    "A connection's error becomes the reason of its end",
    arguments: [
      (.reset(.connectionReset, call: "recv", peer: nil), .reset),
      (.failed(.brokenPipe, call: "send", address: nil), .failed(.brokenPipe, call: "send")),
      (.limit(.idle), .limit(.idle)),
      (.limit(.writeStall), .limit(.writeStall)),
      (.closed, .closed),
      (.loopStopped, .aborted),
    ] as [(SocketError, CloseReason)])
  func reasons(error: SocketError, reason: CloseReason) {
    #expect(CloseReason(error) == reason)
  }

  private static func refusal(_ address: SocketAddress) -> ConnectFailure {
    ConnectFailure(
      address: address, error: .failed(.connectionRefused, call: "connect", address: address))
  }

  @Test("Values that a user prints are words: signals, options, failures, the report of a relay")
  func words() {
    let signals: [ProcessSignals.Signal] = [.terminate, .user1, .init(rawValue: 34), .init(rawValue: 0)]
    #expect("\(signals)" == "[SIGTERM, SIGUSR1, signal 34, signal 0]")
    let options: [SocketOption] = [
      .noDelay(), .keepAlive(idle: .seconds(60), interval: .seconds(10), count: 3),
      .raw(level: 1, name: 10, value: 1),
    ]
    #expect("\(options)" == "[noDelay(1), keepAlive(60, 10, 3, 1), raw 1/10(1)]")
    #expect(
      "\([Self.refusal(.loopback(port: 9))])" == "[connect 127.0.0.1:9: ECONNREFUSED (Connection refused)]")
    let report = RelayReport(
      first: RelayReport.Side(bytes: 1, ending: .failed(.limit(.idle))),
      second: RelayReport.Side(bytes: 20, ending: .reset))
    #expect(
      "\(report)"
        == "first: 1 byte, then a failure (idle limit reached); second: 20 bytes, then a reset for the other's failure"
    )
  }

  @Test("A scope that is left by a throw gives that as the reason")
  func scopes() {
    struct Odd: Error, CustomStringConvertible { let description = "odd" }
    #expect(CloseReason(leavingScopeBy: CancellationError()) == .cancelled)
    #expect(CloseReason(leavingScopeBy: Odd()) == .handlerThrew("odd"))
    let malformed = FramingError.malformed("no netstring", offset: 3)
    #expect(CloseReason(leavingScopeBy: malformed) == .framing(malformed.description))
    // It may be one of another connection; this one's own has been noted already.
    let reset = SocketError.reset(.connectionReset, call: "recv", peer: nil)
    #expect(CloseReason(leavingScopeBy: reset) == .handlerThrew(reset.description))
  }
}
