import Glibc

/// The one owner of a file descriptor, which it closes exactly once.
struct Descriptor: ~Copyable, Sendable {
  let number: Int32
  /// Whose number it is; `nil` for the system's.
  private let table: DescriptorTable?

  /// Takes ownership of an open descriptor; a negative number, a failed call's answer, owns nothing.
  init(owning number: Int32, of table: DescriptorTable?) {
    self.number = number
    self.table = table
  }

  deinit {
    guard number >= 0 else { return }
    if let table { return table.close(number) }
    // On Linux the number is free again even when close(2) answers EINTR: a second call could hit a stranger.
    _ = Glibc.close(number)
  }
}
