import Glibc

/// What the standard library leaves out: who reads, how wide it is, output that does not wait in a buffer, exit codes.
enum Terminal: Int32 {
  case output = 1
  case error = 2

  var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Whether a line that has been written can be written over.
  var canOverwrite: Bool {
    guard isTerminal else { return false }
    return unsafe getenv("TERM").map { unsafe String(cString: $0) != "dumb" } ?? false
  }

  /// In columns; `nil` when it is no terminal, or does not tell.
  var width: Int? {
    // Rows, columns, and the same in pixels (ioctl_tty(2)).
    var size = [UInt16](repeating: 0, count: 4)
    guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size[1] > 0 else { return nil }
    return Int(size[1])
  }

  /// Writes all of it, in one piece if the system takes that; whoever does not read any more misses it.
  ///
  /// - Returns: why it could not be written; `nil` if it was, or nobody reads.
  @discardableResult
  static func write(_ text: String, to stream: Terminal) -> String? {
    var text = text
    return text.withUTF8 { bytes in
      var rest = unsafe UnsafeBufferPointer(rebasing: bytes[...])
      while !rest.isEmpty {
        let count = unsafe Glibc.write(stream.rawValue, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        // Somebody has made it nonblocking.
        if count < 0, errno == EAGAIN {
          var ready = pollfd(fd: stream.rawValue, events: Int16(POLLOUT), revents: 0)
          _ = unsafe poll(&ready, 1, -1)
          continue
        }
        if count < 0 { return errno == EPIPE ? nil : unsafe String(cString: strerror(errno)) }
        unsafe rest = UnsafeBufferPointer(rebasing: rest.dropFirst(count))
      }
      return nil
    }
  }

  static func exit(_ status: Int32) -> Never { Glibc.exit(status) }

  static func fail(_ message: String, status: Int32) -> Never {
    write("swarm: \(message)\n", to: .error)
    exit(status)
  }

  /// What a file holds, as text, up to 64 MiB.
  static func contents(of path: String) throws(UsageError) -> String {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw UsageError("\(path) cannot be read: \(unsafe String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe read(descriptor, &block, block.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw UsageError("\(path) cannot be read: \(unsafe String(cString: strerror(errno)))")
      }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += block[..<count]
      if bytes.count > 1 << 26 { throw UsageError("\(path) cannot be read: it is larger than 64 MiB") }
    }
  }
}
