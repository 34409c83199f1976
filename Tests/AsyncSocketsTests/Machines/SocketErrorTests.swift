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
    ] as [(SocketError, String)])
  func descriptions(error: SocketError, description: String) {
    #expect(error.description == description)
  }

  @Test("Every other socket error says what it is about in one line")
  func oneLine() {
    let errors: [SocketError] = [
      .closed, .busy(operation: "accept"), .limit(.idle), .limit(.writeStall), .switched,
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
    ] as [(SocketError, CloseReason)])
  func reasons(error: SocketError, reason: CloseReason) {
    #expect(CloseReason(error) == reason)
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
