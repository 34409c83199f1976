import CLinux
import Glibc

/// Two connected Unix stream sockets, blocking and close-on-exec, as bare descriptors: the caller closes them.
public func socketPair() throws -> (Int32, Int32) {
  var pair: [Int32] = [-1, -1]
  let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
  guard unsafe socketpair(AF_UNIX, type, 0, &pair) == 0 else { throw PeerError.last("socketpair") }
  return (pair[0], pair[1])
}

/// Two connected TCP sockets on the loopback interface, as bare descriptors: the caller closes them.
public func tcpPair() throws -> (connected: Int32, accepted: Int32) {
  let listener = try BlockingListener()
  let client = try BlockingPeer.connect(port: listener.port)
  let server = try listener.accept()
  return (client.releaseDescriptor(), server.releaseDescriptor())
}

/// A new stream socket, close-on-exec from birth.
func makeSocket(_ family: Int32) throws -> Int32 {
  let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  guard descriptor >= 0 else { throw PeerError.last("socket") }
  return descriptor
}

/// Sets a socket option to a plain C value.
func setOption<Value: BitwiseCopyable>(
  _ option: Int32, of descriptor: Int32, level: Int32 = SOL_SOCKET, to value: Value
) throws {
  let status = unsafe withUnsafeBytes(of: value) { bytes in
    unsafe setsockopt(descriptor, level, option, bytes.baseAddress, socklen_t(bytes.count))
  }
  guard status == 0 else { throw PeerError.last("setsockopt") }
}

func setNoDelay(_ descriptor: Int32) throws {
  try setOption(TCP_NODELAY, of: descriptor, level: Int32(IPPROTO_TCP), to: Int32(1))
}
