import Glibc
import Peers

/// A file that is gone with the last who has it.
final class TextFile: Sendable {
  let path = "/tmp/swarm-\(UInt64.random(in: 0 ... .max)).json"

  init(_ text: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw PeerError.failed(call: "open \(path)", errno: errno) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    guard unsafe write(descriptor, bytes, bytes.count) == bytes.count else {
      throw PeerError.failed(call: "write", errno: errno)
    }
  }

  deinit { unsafe unlink(path) }
}
