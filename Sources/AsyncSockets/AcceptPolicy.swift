import CLinux

/// What an error of accept(2) means for the listener.
///
/// Most of them are about one connection that died in the queue, or about the network behind it, and say nothing
/// of the listener: accept(2), "Error handling", asks for them to be treated like `EAGAIN`.
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
    // ECONNABORTED, EPROTO, EPERM (a firewall's word), EOPNOTSUPP and the network errors of accept(2), and
    // whatever else a later kernel may pass on from a connection.
    default: .retry
    }
  }
}
