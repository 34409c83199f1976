import Glibc

/// What the standard library leaves out: output that must not wait in a buffer, and exit codes.
enum StandardOutput {
  static func flush() { fflush(nil) }

  static func exit(_ status: Int32) -> Never {
    flush()
    Glibc.exit(status)
  }

  static func report(_ message: String) {
    var line = message + "\n"
    line.withUTF8 { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  static func fail(_ message: String, status: Int32) -> Never {
    report(message)
    exit(status)
  }
}
