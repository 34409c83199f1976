import CLinux
import Glibc

/// A socket address as the kernel wants it.
struct RawAddress {
  private(set) var storage = sockaddr_storage()
  private(set) var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  var family: Int32 { Int32(storage.ss_family) }

  /// A numeric IPv4 or IPv6 address and a port.
  init(host: String, port: UInt16) throws {
    if host.contains(":") {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      guard unsafe inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else {
        throw PeerError.invalid("\(host) is no numeric IPv6 address")
      }
      self.init(address)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
        throw PeerError.invalid("\(host) is no numeric IPv4 address")
      }
      self.init(address)
    }
  }

  /// The path of a Unix socket.
  init(unixPath path: String) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path) - 1
    guard path.utf8.count <= room else { throw PeerError.invalid("\(path) is too long for a Unix socket") }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
    self.init(address)
  }

  /// The address that `socket` is bound to.
  init(boundTo socket: Int32) throws {
    let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe getsockname(socket, $0, &length)
      }
    }
    guard status == 0 else { throw PeerError.last("getsockname") }
  }

  private init<Address>(_ address: Address) {
    unsafe withUnsafeMutableBytes(of: &storage) { storage in
      unsafe withUnsafeBytes(of: address) { unsafe storage.copyMemory(from: $0) }
    }
    length = socklen_t(MemoryLayout<Address>.size)
  }

  /// The port, or 0 for a Unix socket. It stands at the same place in both kinds of IP address.
  var port: UInt16 {
    guard family == AF_INET || family == AF_INET6 else { return 0 }
    return unsafe withUnsafeBytes(of: storage) {
      UInt16(bigEndian: unsafe $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
  }

  /// Makes a system call with the address.
  func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    unsafe withUnsafePointer(to: storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
    }
  }
}
