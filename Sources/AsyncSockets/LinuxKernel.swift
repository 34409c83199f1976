import CLinux
import Glibc

/// `-errno` for a failed call, its result otherwise.
@inline(__always)
private func answer(_ result: Int) -> Int { result >= 0 ? result : -Int(errno) }

@inline(__always)
private func answer(_ result: Int32) -> Int { answer(Int(result)) }

extension Kernel {
  package func socket(family: Int32) -> Int {
    answer(Glibc.socket(family, CLINUX_SOCK_STREAM | CLINUX_SOCKET_FLAGS, 0))
  }

  package func bind(_ descriptor: Int32, to address: SocketAddress) -> Int {
    unsafe address.withSystemAddress { unsafe answer(clinux_bind(descriptor, $0, $1)) }
  }

  package func listen(_ descriptor: Int32, backlog: Int32) -> Int {
    answer(Glibc.listen(descriptor, backlog))
  }

  package func accept(_ descriptor: Int32, peer: inout SocketAddress?) -> Int {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let result = unsafe answer(clinux_accept4(descriptor, &storage, &length, CLINUX_SOCKET_FLAGS))
    peer = result >= 0 ? SocketAddress(storage, length: length) : nil
    return result
  }

  package func connect(_ descriptor: Int32, to address: SocketAddress) -> Int {
    unsafe address.withSystemAddress { unsafe answer(clinux_connect(descriptor, $0, $1)) }
  }

  package func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe LinuxKernel.receive(descriptor, into: buffer)
  }

  package func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe LinuxKernel.send(descriptor, bytes)
  }

  package func send(_ descriptor: Int32, gathering parts: [UnsafeRawBufferPointer]) -> Int {
    var vectors = unsafe parts.map {
      unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
    }
    return unsafe vectors.withUnsafeMutableBufferPointer { vectors in
      var message = unsafe msghdr()
      unsafe message.msg_iov = vectors.baseAddress
      unsafe message.msg_iovlen = vectors.count
      return unsafe answer(sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)))
    }
  }

  package func shutdownWrite(_ descriptor: Int32) -> Int {
    answer(Glibc.shutdown(descriptor, Int32(SHUT_WR)))
  }

  package func shutdownListening(_ descriptor: Int32) -> Int {
    answer(Glibc.shutdown(descriptor, Int32(SHUT_RD)))
  }

  package func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int {
    var value = value
    return unsafe answer(
      setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size)))
  }

  /// Answers how many bytes the kernel has filled.
  package func getOption(
    _ descriptor: Int32, level: Int32, name: Int32, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    var length = socklen_t(buffer.count)
    let result = unsafe answer(getsockopt(descriptor, level, name, buffer.baseAddress, &length))
    return result < 0 ? result : Int(length)
  }

  /// `SO_ERROR`, as `-errno` or 0.
  package func pendingError(_ descriptor: Int32) -> Int {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    let result = unsafe answer(getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &value, &length))
    return result < 0 ? result : -Int(value)
  }

  /// `SO_LINGER` with a time of zero: the close that follows sends RST.
  package func setResetOnClose(_ descriptor: Int32) -> Int {
    var value = linger(l_onoff: 1, l_linger: 0)
    return unsafe answer(
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size)))
  }

  package func localAddress(_ descriptor: Int32) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    guard unsafe clinux_getsockname(descriptor, &storage, &length) == 0 else { return nil }
    return SocketAddress(storage, length: length)
  }

  package func peerAddress(_ descriptor: Int32) -> SocketAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    guard unsafe clinux_getpeername(descriptor, &storage, &length) == 0 else { return nil }
    return SocketAddress(storage, length: length)
  }

  package func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

  /// Close-on-exec, too.
  package func setNonblocking(_ descriptor: Int32) -> Int {
    let flags = fcntl(descriptor, F_GETFL)
    if flags < 0 { return answer(flags) }
    let result = answer(fcntl(descriptor, F_SETFL, flags | O_NONBLOCK))
    return result < 0 ? result : answer(fcntl(descriptor, F_SETFD, FD_CLOEXEC))
  }

  package func unreadBytes(_ descriptor: Int32) -> Int {
    var count: Int32 = 0
    let result = unsafe answer(clinux_unread_bytes(descriptor, &count))
    return result < 0 ? result : Int(count)
  }

  package func identity(ofFile path: String) -> FileIdentity? {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return nil }
    return FileIdentity(
      device: UInt(status.st_dev), inode: UInt(status.st_ino),
      isSocket: status.st_mode & S_IFMT == S_IFSOCK)
  }

  package func unlink(_ path: String) {
    _ = unsafe Glibc.unlink(path)
  }

  /// What a datagram socket is told that connects to a path: `-ECONNREFUSED` when nobody has the socket there open
  /// any more. A stream socket notices nothing of it, and answers `-EPROTOTYPE` also before it listens.
  package func probe(unixPath path: String) -> Int {
    let socket = Glibc.socket(AF_UNIX, CLINUX_SOCK_DGRAM | CLINUX_SOCKET_FLAGS, 0)
    if socket < 0 { return answer(socket) }
    defer { close(socket) }
    return connect(socket, to: .unix(path: path))
  }
}

// What every message needs, for a loop that knows which kernel it has.
extension LinuxKernel {
  @inline(__always)
  static func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    unsafe answer(recv(descriptor, buffer.baseAddress, buffer.count, 0))
  }

  @inline(__always)
  static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    unsafe answer(Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)))
  }
}
