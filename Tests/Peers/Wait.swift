import CLinux
import Glibc

/// How long peers wait for the other side before they fail the test.
public let defaultPatience = Duration.seconds(40)

/// Something a peer waits for, by when at the latest, and its name in the error if that passes.
struct Wait {
  let what: String
  let patience: Duration
  private let deadline: ContinuousClock.Instant

  init(for what: String, patience: Duration) {
    self.what = what
    self.patience = patience
    deadline = .now + patience
  }

  /// Blocks until `descriptor` reports one of `events`, a hang-up or an error.
  func untilReady(_ descriptor: Int32, _ events: Int32) throws {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    while true {
      switch unsafe poll(&entry, 1, millisecondsLeft()) {
      case 0: throw PeerError.timedOut(waitingFor: what, after: patience)
      case 1...: return
      default: guard errno == EINTR else { throw PeerError.last("poll") }
      }
    }
  }

  /// Makes `call` until it succeeds, blocking for `events` whenever it would have to wait.
  func retrying(_ name: String, on descriptor: Int32, _ events: Int32, call: () -> Int) throws -> Int {
    while true {
      let result = call()
      if result >= 0 { return result }
      switch errno {
      case EINTR: continue
      case EAGAIN: try untilReady(descriptor, events)
      default: throw PeerError.last(name)
      }
    }
  }

  /// Rounded up, so that a wait never ends before its time.
  private func millisecondsLeft() -> Int32 {
    let left = max(deadline - .now, .zero)
    let milliseconds = (left + .microseconds(999)) / .milliseconds(1)
    return Int32(min(milliseconds, 3_600_000))
  }
}
