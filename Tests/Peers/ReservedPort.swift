import CLinux
import Glibc

/// A TCP port where nobody listens, and which nobody else gets while this lives: connections to it are refused.
///
/// The port of a listener that was just closed will not do: the next socket, of any test, may get it.
public final class ReservedPort: Sendable {
  /// Its number.
  public let number: UInt16
  private let descriptor: Int32

  /// Reserves a free port of `host`, a numeric address.
  public init(host: String = "127.0.0.1") throws {
    let address = try RawAddress(host: host, port: 0)
    descriptor = try makeSocket(address.family)
    do {
      let descriptor = descriptor
      guard unsafe address.withPointer({ unsafe bind(descriptor, $0, $1) }) == 0 else {
        throw PeerError.last("bind")
      }
      number = try RawAddress(boundTo: descriptor).port
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }
}
