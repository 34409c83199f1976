import Glibc
import Synchronization
import TCPServer

/// Where a replica writes its lines.
protocol Disk: Sendable {
  /// All that was ever appended, in its order.
  func lines() throws -> [String]
  /// Returns when the line outlasts a crash. If this throws, it may.
  func append(_ line: String) throws
}

/// A file, which only grows. It blocks its thread for as long as the device takes.
final class FileDisk: Disk {
  private let descriptor: Int32
  private let length: Mutex<Int>
  private let content: String

  init(_ path: String) throws {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_DSYNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      close(descriptor)
      throw StoreError("\(path): errno \(number)")
    }
    // Its name, if it is new, is the folder's.
    let folder = unsafe open(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw StoreError("\(path): errno \(errno)") }
    var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, SEEK_END)))
    guard unsafe pread(descriptor, &bytes, bytes.count, 0) == bytes.count else {
      throw StoreError("\(path): errno \(errno)")
    }
    // A crash may have left half a line at the end, which was never acknowledged.
    bytes.removeSubrange(((bytes.lastIndex(of: 0x0A) ?? -1) + 1)...)
    length = Mutex(bytes.count)
    content = String(decoding: bytes, as: UTF8.self)
  }

  deinit { close(descriptor) }

  func lines() -> [String] { content.split(separator: "\n").map(String.init) }

  func append(_ line: String) throws {
    let bytes = Array((line + "\n").utf8)
    try length.withLock { length in
      guard unsafe pwrite(descriptor, bytes, bytes.count, length) == bytes.count else {
        throw StoreError("the file cannot be written: errno \(errno)")
      }
      length += bytes.count
    }
  }
}
