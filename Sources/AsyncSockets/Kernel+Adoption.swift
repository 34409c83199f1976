import CLinux
import Glibc

/// What a descriptor that somebody else has opened must be.
enum AdoptedRole: String {
  case listening = "a listening"
  case connected = "a connected"
}

extension Kernel {
  /// Makes a descriptor that was opened elsewhere nonblocking and close-on-exec, if it is what it must be.
  ///
  /// - Returns: its own address.
  /// - Throws: `SocketError.invalid`, which says what it is instead; `.failed`.
  func prepareAdoption(of descriptor: Int32, as role: AdoptedRole) throws(SocketError) -> SocketAddress {
    let (found, actual) = kind(of: descriptor)
    guard actual == role, let address = localAddress(descriptor) else {
      throw .invalid(
        "descriptor \(descriptor) \(found); \(role.rawValue) stream socket (TCP or Unix) is wanted")
    }
    let result = setNonblocking(descriptor)
    if result < 0 { throw .failed(Errno(Int32(-result)), call: "fcntl", address: address) }
    return address
  }

  /// In words, and as a role if it has one.
  private func kind(of descriptor: Int32) -> (String, AdoptedRole?) {
    guard isOpen(descriptor) else { return ("is not open", nil) }
    guard let type = socketInteger(descriptor, SO_TYPE) else { return ("is no socket", nil) }
    switch type {
    case CLINUX_SOCK_STREAM: break
    case CLINUX_SOCK_DGRAM: return ("is a datagram socket", nil)
    case CLINUX_SOCK_SEQPACKET: return ("is a socket of sequenced packets", nil)
    default: return ("is a socket of type \(type)", nil)
    }
    let family = socketInteger(descriptor, SO_DOMAIN) ?? -1
    guard [AF_INET, AF_INET6, AF_UNIX].contains(family) else {
      return ("is a stream socket of address family \(family)", nil)
    }
    if socketInteger(descriptor, SO_ACCEPTCONN) == 1 { return ("is a listening stream socket", .listening) }
    if peerAddress(descriptor) != nil { return ("is a connected stream socket", .connected) }
    return ("is a stream socket that neither listens nor is connected", nil)
  }

  private func socketInteger(_ descriptor: Int32, _ name: Int32) -> Int32? {
    try? integerOption(descriptor, level: SOL_SOCKET, name: name, call: "getsockopt", address: nil)
  }
}
