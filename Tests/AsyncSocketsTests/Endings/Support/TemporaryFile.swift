import Glibc
import Peers
import Synchronization

/// A path at which another program may make a file, which is gone with this.
final class TemporaryFile: Sendable {
  let path: String

  private static let count = Atomic(0)

  init(suffix: String = "") {
    let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
    path = "/tmp/asyncsockets-\(getpid())-file-\(number)\(suffix)"
  }

  deinit { unsafe unlink(path) }

  func lines() throws -> [String] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw PeerError.failed(call: "open \(path)", errno: errno) }
    defer { close(descriptor) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = unsafe read(descriptor, &buffer, buffer.count), count > 0 {
      text += buffer.prefix(count)
    }
    return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
