import CLinux
import Glibc

/// getaddrinfo(3), which blocks.
enum NameLookup {
  /// The addresses of a name, each once, with port 0.
  @Sendable
  static func addresses(of host: String) -> SystemResolver.Answer {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = CLINUX_SOCK_STREAM
    var list: UnsafeMutablePointer<addrinfo>?
    let status = unsafe getaddrinfo(host, nil, &hints, &list)
    let systemError = Errno(errno)
    defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
    if status != 0 {
      let reason = status == EAI_SYSTEM ? systemError.description : self.reason(status)
      return .failure(.unresolved(host: host, reason: reason))
    }
    var addresses: [SocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      if let address = unsafe address(entry.pointee), !addresses.contains(address) {
        addresses.append(address)
      }
      unsafe next = entry.pointee.ai_next
    }
    if addresses.isEmpty { return .failure(.unresolved(host: host, reason: "it has no address")) }
    return .success(addresses)
  }

  private static func address(_ entry: addrinfo) -> SocketAddress? {
    guard let system = unsafe entry.ai_addr else { return nil }
    var storage = sockaddr_storage()
    let length = min(Int(unsafe entry.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
    unsafe withUnsafeMutableBytes(of: &storage) {
      unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: system, count: length))
    }
    return SocketAddress(storage, length: socklen_t(length))
  }

  /// `EAI_NONAME (Name or service not known)`.
  static func reason(_ status: Int32) -> String {
    let names = [
      EAI_NONAME: "EAI_NONAME", EAI_AGAIN: "EAI_AGAIN", EAI_FAIL: "EAI_FAIL", EAI_MEMORY: "EAI_MEMORY",
      EAI_FAMILY: "EAI_FAMILY", EAI_SERVICE: "EAI_SERVICE", EAI_SOCKTYPE: "EAI_SOCKTYPE",
      EAI_BADFLAGS: "EAI_BADFLAGS", CLINUX_EAI_NODATA: "EAI_NODATA",
    ]
    let text = unsafe gai_strerror(status).map { unsafe String(cString: $0) } ?? "unknown error"
    return "\(names[status] ?? "error \(status)") (\(text))"
  }
}
