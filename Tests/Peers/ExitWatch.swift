import Glibc
import Synchronization

/// Reaps a child process on a thread of its own, lets others wait for that, and never signals a process id that
/// may by then be another's.
final class ExitWatch: Sendable {
  private let id: pid_t
  /// Set in the same critical section that gives the process id back to the system.
  private let status = Mutex<ExitStatus?>(nil)
  /// Ends when the child has been reaped.
  private let ended: BlockingPeer

  init(_ id: pid_t) throws {
    self.id = id
    let (near, far) = try socketPair()
    ended = BlockingPeer(adopting: near)
    let announcement = BlockingPeer(adopting: far)
    startThread { [self] in
      reap()
      announcement.close()
    }
  }

  func signal(_ number: Int32) {
    status.withLock { if $0 == nil { kill(id, number) } }
  }

  func status(_ wait: Wait) throws -> ExitStatus {
    try wait.untilReady(ended.descriptor, POLLIN)
    guard let status = status.withLock({ $0 }) else {
      throw PeerError.invalid("process \(id) was not reaped")
    }
    return status
  }

  private func reap() {
    var information = unsafe siginfo_t()
    while unsafe waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    status.withLock {
      var number: Int32 = 0
      if unsafe waitpid(id, &number, 0) == id { $0 = ExitStatus(waitStatus: number) }
    }
  }
}
