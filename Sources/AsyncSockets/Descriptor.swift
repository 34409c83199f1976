import Glibc

/// The one owner of a file descriptor, which it closes exactly once.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32

  /// Takes ownership of an open descriptor; a negative number, a failed call's answer, owns nothing.
  init(owning number: Int32) { self.number = number }

  deinit {
    // On Linux the number is free again even when close(2) answers EINTR: a second call could hit a stranger.
    if number >= 0 { _ = close(number) }
  }
}
