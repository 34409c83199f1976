import CLinux

/// What an error of accept(2) means for the listener.
///
/// | error | verdict | why |
/// |---|---|---|
/// | `EMFILE`, `ENFILE` | pause | no descriptor is left, of the process or of the system; the connection stays in the queue |
/// | `ENOBUFS`, `ENOMEM` | pause | no memory is left for the socket; likewise |
/// | `EBADF`, `EINVAL`, `ENOTSOCK`, `EFAULT` | fatal | it is no listening socket, or not any more; that does not pass |
/// | `ECONNABORTED` | retry | the peer gave up in the queue |
/// | `EPERM` | retry | a firewall refuses this connection |
/// | `ENETDOWN`, `EPROTO`, `ENOPROTOOPT`, `EHOSTDOWN`, `ENONET`, `EHOSTUNREACH`, `EOPNOTSUPP`, `ENETUNREACH` | retry | errors of the network that were waiting for this connection: accept(2), "Error handling", asks for them to be treated like `EAGAIN` |
/// | `ETIMEDOUT` and whatever else | retry | what a kernel passes on from one connection says nothing of the listener |
///
/// `EINTR` and `EAGAIN` are dealt with before. A pause is 100 ms, or until a connection of ours ends, which frees a
/// descriptor: a listener that is ready and is not accepted from would else wake its loop for ever, so trying at once
/// costs a processor. It does not double, since a server that recovers slowly is worse than ten calls a second.
enum AcceptPolicy {
  enum Verdict: Equatable {
    /// That connection is gone; the next may be fine.
    case retry
    /// The system is short of something: try again in a while, or when a connection of ours ends.
    case pause
    /// The descriptor is no listening socket; trying again can't help.
    case fatal
  }

  /// Long enough not to spin, short enough that nobody notices.
  static let pause = Duration.milliseconds(100)

  static func verdict(on errno: Errno) -> Verdict {
    switch errno.rawValue {
    case EMFILE, ENFILE, ENOBUFS, ENOMEM: .pause
    case EBADF, EINVAL, ENOTSOCK, EFAULT: .fatal
    default: .retry
    }
  }
}
