import Glibc
import Synchronization

/// A file without a name, for output that must never block the process that writes it.
final class UnlinkedFile: Sendable {
  let descriptor: Int32
  private static let count = Atomic(0)

  init() throws {
    let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
    let path = "/tmp/peers-\(getpid())-\(number)"
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw PeerError.last("open \(path)") }
    unsafe unlink(path)
  }

  deinit { close(descriptor) }

  func contents() -> [UInt8] {
    let size = Int(max(lseek(descriptor, 0, SEEK_END), 0))
    guard size > 0 else { return [] }
    return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, initializedCount in
      initializedCount = max(unsafe pread(descriptor, buffer.baseAddress, size, 0), 0)
    }
  }
}
