import CLinux
import Glibc

// How an address looks to the kernel (`sockaddr_storage`) and to people (inet_pton(3), inet_ntop(3)).

extension SocketAddress {
  /// Reads a numeric IPv4 or IPv6 address such as `127.0.0.1`, `fe80::1%2` or `fe80::1%eth0`; no name is looked up,
  /// but for that of a network interface, whose number the address keeps.
  ///
  /// - Throws: `SocketError.invalid` when the text is no such address, or this machine has no such interface.
  public init(host: String, port: UInt16) throws(SocketError) {
    // A zero byte would end the text for the C function, and let the rest through unseen.
    guard !host.utf8.contains(0) else { throw Self.malformed(host) }
    var v4 = in_addr()
    if unsafe inet_pton(AF_INET, host, &v4) == 1 {
      self.init(.ipv4(UInt32(bigEndian: v4.s_addr), port: port))
      return
    }
    let parts = host.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
    var v6 = in6_addr()
    guard unsafe inet_pton(AF_INET6, String(parts[0]), &v6) == 1 else { throw Self.malformed(host) }
    let scope = parts.count == 2 ? try Self.scope(String(parts[1]), of: host) : 0
    let words = Self.words(v6)
    self.init(.ipv6(high: words.high, low: words.low, scope: scope, port: port))
  }

  private static func malformed(_ host: String) -> SocketError {
    let hasPort = host.hasPrefix("[") || host.utf8.count { $0 == UInt8(ascii: ":") } == 1
    let hint = hasPort ? "; give it without brackets and port, which is a value of its own" : ""
    return .invalid("\(host.debugDescription) is no numeric IPv4 or IPv6 address\(hint)")
  }

  /// The number of a network interface, given as that or by name.
  private static func scope(_ text: String, of host: String) throws(SocketError) -> UInt32 {
    if let number = UInt32(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return number }
    let number = unsafe text.isEmpty ? 0 : if_nametoindex(text)
    if number == 0 {
      throw .invalid(
        "\(host.debugDescription): this machine has no network interface \(text.debugDescription)")
    }
    return number
  }

  package var family: Int32 {
    switch storage {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .unix, .abstract: AF_UNIX
    }
  }

  /// The longest path that `sockaddr_un` holds with its terminating zero; an abstract name has a zero before it.
  static let maximumPathLength = 107

  package func validate() throws(SocketError) {
    let (kind, name) =
      switch storage {
      case .ipv4, .ipv6: ("", "")
      case .unix(let path): ("path", path)
      case .abstract(let name): ("abstract name", name)
      }
    if kind.isEmpty { return }
    if name.isEmpty {
      throw .invalid("the \(kind) of a Unix socket is empty")
    }
    if name.utf8.count > Self.maximumPathLength {
      throw .invalid(
        "the \(kind) of a Unix socket is \(name.utf8.count) bytes long, the system allows "
          + "\(Self.maximumPathLength): \(name)")
    }
    if path != nil, name.utf8.contains(0) {
      throw .invalid("the path of a Unix socket contains a zero byte: \(name.debugDescription)")
    }
  }

  func withSystemAddress<Result>(
    _ body: (UnsafePointer<sockaddr_storage>, socklen_t) -> Result
  ) -> Result {
    var system = sockaddr_storage()
    let length: Int
    switch storage {
    case .ipv4(let address, let port):
      length = MemoryLayout<sockaddr_in>.size
      unsafe withUnsafeMutableBytes(of: &system) {
        unsafe $0.bindMemory(to: sockaddr_in.self)[0] = sockaddr_in(
          sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian,
          sin_addr: in_addr(s_addr: address.bigEndian), sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
      }
    case .ipv6(let high, let low, let scope, let port):
      length = MemoryLayout<sockaddr_in6>.size
      unsafe withUnsafeMutableBytes(of: &system) {
        unsafe $0.bindMemory(to: sockaddr_in6.self)[0] = sockaddr_in6(
          sin6_family: sa_family_t(AF_INET6), sin6_port: port.bigEndian, sin6_flowinfo: 0,
          sin6_addr: Self.systemAddress(high, low), sin6_scope_id: scope)
      }
    case .unix(let name), .abstract(let name):
      let zero: [UInt8] = [0]
      let text = Array(name.utf8.prefix(Self.maximumPathLength))
      // An unnamed socket is the family alone; the zero after a path is part of it by custom.
      let bytes = path == nil ? zero + text : text.isEmpty ? [] : text + zero
      length = MemoryLayout<sa_family_t>.size + bytes.count
      unsafe withUnsafeMutableBytes(of: &system) {
        unsafe $0.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
        unsafe UnsafeMutableRawBufferPointer(rebasing: $0[MemoryLayout<sa_family_t>.size...])
          .copyBytes(from: bytes)
      }
    }
    return unsafe body(&system, socklen_t(length))
  }

  init?(_ system: sockaddr_storage, length: socklen_t) {
    var system = system
    guard Int(length) >= MemoryLayout<sa_family_t>.size else { return nil }
    switch Int32(system.ss_family) {
    case AF_INET:
      let address = unsafe withUnsafeBytes(of: &system) { unsafe $0.load(as: sockaddr_in.self) }
      self.init(
        .ipv4(UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port)))
    case AF_INET6:
      let address = unsafe withUnsafeBytes(of: &system) { unsafe $0.load(as: sockaddr_in6.self) }
      let (high, low) = Self.words(address.sin6_addr)
      let port = UInt16(bigEndian: address.sin6_port)
      self.init(.ipv6(high: high, low: low, scope: address.sin6_scope_id, port: port))
    case AF_UNIX:
      let header = MemoryLayout<sa_family_t>.size
      let name = unsafe withUnsafeBytes(of: &system) { bytes in
        unsafe Array(bytes[header..<min(bytes.count, max(header, Int(length)))])
      }
      if name.first == 0, name.count > 1 {
        self.init(.abstract(String(decoding: name.dropFirst(), as: UTF8.self)))
      } else {
        self.init(.unix(String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)))
      }
    default:
      return nil
    }
  }

  private static func words(_ address: in6_addr) -> (high: UInt64, low: UInt64) {
    unsafe withUnsafeBytes(of: address) {
      unsafe (
        UInt64(bigEndian: $0.load(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: $0.load(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }

  private static func systemAddress(_ high: UInt64, _ low: UInt64) -> in6_addr {
    var address = in6_addr()
    unsafe withUnsafeMutableBytes(of: &address) {
      unsafe $0.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
      unsafe $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return address
  }

  static func text(ipv4 address: UInt32) -> String {
    "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
  }

  static func text(ipv6 high: UInt64, _ low: UInt64) -> String {
    var address = systemAddress(high, low)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) {
      guard
        let text = unsafe inet_ntop(AF_INET6, &address, $0.baseAddress, socklen_t($0.count))
      else { return "?" }
      return unsafe String(cString: text)
    }
  }
}
