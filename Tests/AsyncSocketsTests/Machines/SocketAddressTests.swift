import CLinux
import Glibc
import Testing

@testable import AsyncSockets

@Suite("A socket address")
struct SocketAddressTests {
  @Test(
    "reads numeric addresses and shows them in the usual form (scenario G19)",
    arguments: [
      ("127.0.0.1", "127.0.0.1", "127.0.0.1:80"),
      ("0.0.0.0", "0.0.0.0", "0.0.0.0:80"),
      ("255.255.255.255", "255.255.255.255", "255.255.255.255:80"),
      ("::", "::", "[::]:80"),
      ("::1", "::1", "[::1]:80"),
      ("2001:DB8:0:0:0:0:0:1", "2001:db8::1", "[2001:db8::1]:80"),
      ("fe80::1%2", "fe80::1%2", "[fe80::1%2]:80"),
      ("fe80::1%4294967295", "fe80::1%4294967295", "[fe80::1%4294967295]:80"),
      ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:80"),
    ])
  func parsing(text: String, host: String, description: String) throws {
    let address = try SocketAddress(host: text, port: 80)
    #expect(address.host == host)
    #expect(address.description == description)
    #expect(address.port == 80)
    #expect(address.path == nil)
    #expect(try SocketAddress(host: address.host, port: 80) == address)
  }

  @Test(
    "refuses what is no numeric address, and says so",
    arguments: [
      "", " ", "localhost", "127.0.0", "127.0.0.1 ", "127.0.0.1:80", "256.0.0.1", "1.2.3.4.5", "01.2.3.4",
      "[::1]",
      ":::", "1:2:3:4:5:6:7:8:9", "12345::", "fe80::1%", "fe80::1%nowhere0", "fe80::1%-1", "fe80::1%+2",
      "fe80::1%4294967296", "%::1", "%", "::1%%2", "127.0.0.1%1",
    ])
  func badHosts(text: String) {
    let error = #expect(throws: SocketError.self) { try SocketAddress(host: text, port: 1) }
    #expect(error?.description.hasPrefix("invalid argument: ") == true)
    #expect(error?.description.contains(text) == true)
  }

  @Test("does not overlook a zero byte and what follows it", arguments: ["127.0.0.1", "::1", "fe80::1%1"])
  func zeroBytes(text: String) {
    #expect(throws: SocketError.self) { try SocketAddress(host: text + "\0", port: 1) }
    #expect(throws: SocketError.self) { try SocketAddress(host: text + "\0.example.org", port: 1) }
  }

  @Test("has short names for the usual ones")
  func shortNames() {
    #expect(SocketAddress.loopback(port: 1).description == "127.0.0.1:1")
    #expect(SocketAddress.loopback6(port: 2).description == "[::1]:2")
    #expect(SocketAddress.any(port: 3).description == "0.0.0.0:3")
    #expect(SocketAddress.any6(port: 4).description == "[::]:4")
    #expect(SocketAddress.loopback().port == 0)
    #expect(SocketAddress.unix(path: "/run/x.sock").description == "unix:/run/x.sock")
    #expect(SocketAddress.unix(path: "/run/x.sock").path == "/run/x.sock")
    #expect(SocketAddress.unix(path: "/run/x.sock").port == nil)
    #expect(SocketAddress.unix(path: "").description == "unix:(unnamed)")
  }

  @Test(
    "survives the way to the kernel and back",
    arguments: [
      SocketAddress.loopback(port: 65_535), .any(port: 1), .loopback6(port: 443), .any6(),
      .unix(path: "/tmp/x"), .unix(path: "/tmp/é"), .unix(path: String(repeating: "p", count: 107)),
      .unix(path: ""), .unix(abstract: "name"), .unix(abstract: "é"), .unix(abstract: "a\0b"),
      .unix(abstract: String(repeating: "p", count: 107)),
    ])
  func roundTrip(address: SocketAddress) throws {
    let copy = throughSystem(address)
    #expect(copy == address)
  }

  @Test("keeps the scope of a link-local address on that way")
  func scopeRoundTrip() throws {
    let address = try SocketAddress(host: "fe80::1%7", port: 9)
    let copy = throughSystem(address)
    #expect(copy == address)
  }

  @Test("shows an IPv4 peer of a dual-stack socket as what it is (scenario G19)")
  func mapped() throws {
    var system = sockaddr_in6()
    system.sin6_family = sa_family_t(AF_INET6)
    system.sin6_port = UInt16(80).bigEndian
    unsafe inet_pton(AF_INET6, "::ffff:192.0.2.7", &system.sin6_addr)
    var storage = sockaddr_storage()
    unsafe withUnsafeMutableBytes(of: &storage) { storage in
      unsafe withUnsafeBytes(of: system) { unsafe storage.copyMemory(from: $0) }
    }
    let seen = SocketAddress(storage, length: socklen_t(MemoryLayout<sockaddr_in6>.size))
    #expect(seen?.description == "192.0.2.7:80")
    #expect(try seen == SocketAddress(host: "192.0.2.7", port: 80))
  }

  @Test("is the IPv4 address when it is one mapped into IPv6, however it is written")
  func mappedText() throws {
    for text in ["[::ffff:192.0.2.7]:80", "[::FFFF:c000:207]:80", "192.0.2.7:80"] {
      #expect(try SocketAddress(text).description == "192.0.2.7:80")
    }
  }

  @Test("is unknown when the kernel gives none, or one of a family of its own")
  func unknown() {
    var storage = sockaddr_storage()
    #expect(SocketAddress(storage, length: 0) == nil)
    storage.ss_family = sa_family_t(AF_NETLINK)
    #expect(SocketAddress(storage, length: socklen_t(MemoryLayout<sockaddr_storage>.size)) == nil)
  }

  @Test("of an unnamed Unix socket has an empty path")
  func unnamed() {
    var storage = sockaddr_storage()
    storage.ss_family = sa_family_t(AF_UNIX)
    let address = SocketAddress(storage, length: socklen_t(MemoryLayout<sa_family_t>.size))
    #expect(address?.path == "")
  }

  @Test("with a path of 108 bytes is refused with both lengths and the path")
  func longPath() throws {
    try SocketAddress.unix(path: String(repeating: "x", count: 107)).validate()
    let path = String(repeating: "é", count: 54)
    let error = #expect(throws: SocketError.self) { try SocketAddress.unix(path: path).validate() }
    for part in ["108", "107", path] { #expect(error?.description.contains(part) == true) }
  }

  @Test("in the abstract namespace has a name of 1 to 107 bytes, of any value")
  func abstractNames() throws {
    try SocketAddress.unix(abstract: String(repeating: "x", count: 107)).validate()
    try SocketAddress.unix(abstract: "a\0b").validate()
    for name in ["", String(repeating: "x", count: 108)] {
      let error = #expect(throws: SocketError.self) { try SocketAddress.unix(abstract: name).validate() }
      #expect(error?.description.contains("the abstract name of a Unix socket") == true)
    }
    #expect(SocketAddress.unix(abstract: "x").abstractName == "x")
    #expect(SocketAddress.unix(abstract: "x").path == nil)
    #expect(SocketAddress.unix(abstract: "x") != .unix(path: "@x"))
    #expect(SocketAddress.loopback().abstractName == nil)
  }

  @Test("with an empty path or a zero byte in it is refused", arguments: ["", "\0abstract", "/tmp/a\0b"])
  func badPath(path: String) {
    let error = #expect(throws: SocketError.self) { try SocketAddress.unix(path: path).validate() }
    #expect(error?.description.contains("the path of a Unix socket") == true)
  }

  @Test("knows the addresses that mean every interface")
  func wildcards() throws {
    #expect(SocketAddress.any(port: 8).isWildcard)
    #expect(SocketAddress.any6(port: 8).isWildcard)
    #expect(!SocketAddress.loopback(port: 8).isWildcard)
    #expect(!SocketAddress.loopback6(port: 8).isWildcard)
    #expect(!SocketAddress.unix(path: "/x").isWildcard)
  }

  private func throughSystem(_ address: SocketAddress) -> SocketAddress? {
    unsafe address.withSystemAddress { system, length in unsafe SocketAddress(system.pointee, length: length)
    }
  }
}
