import CLinux
import Glibc

// What getsockopt(2) answers, as values.

extension Kernel {
  func integerOption(
    _ descriptor: Int32, level: Int32, name: Int32, call: String, address: SocketAddress?
  ) throws(SocketError) -> Int32 {
    var value: Int32 = 0
    let result = unsafe withUnsafeMutableBytes(of: &value) {
      unsafe getOption(descriptor, level: level, name: name, into: $0)
    }
    if result < 0 { throw .failed(Errno(Int32(-result)), call: call, address: address) }
    return value
  }

  func credentials(
    ofPeer descriptor: Int32, address: SocketAddress?
  ) throws(SocketError) -> PeerCredentials {
    // struct ucred: a pid_t, a uid_t and a gid_t.
    var fields: (Int32, UInt32, UInt32) = (0, 0, 0)
    let result = unsafe withUnsafeMutableBytes(of: &fields) {
      unsafe getOption(descriptor, level: SOL_SOCKET, name: SO_PEERCRED, into: $0)
    }
    if result < 0 {
      throw .failed(Errno(Int32(-result)), call: "getsockopt(SO_PEERCRED)", address: address)
    }
    return PeerCredentials(processID: fields.0, userID: fields.1, groupID: fields.2)
  }

  func tcpInfo(_ descriptor: Int32, address: SocketAddress?) throws(SocketError) -> TCPInfo? {
    var bytes = [UInt8](repeating: 0, count: TCPInfo.size)
    let result = unsafe bytes.withUnsafeMutableBytes {
      unsafe getOption(descriptor, level: CLINUX_IPPROTO_TCP, name: CLINUX_TCP_INFO, into: $0)
    }
    if result < 0 {
      throw .failed(Errno(Int32(-result)), call: "getsockopt(TCP_INFO)", address: address)
    }
    return TCPInfo(bytes.prefix(result))
  }
}
