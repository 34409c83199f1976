import FoundationEssentials
import Testing

@testable import AsyncSockets

@Suite("The text of a socket address")
struct SocketAddressTextTests {
  @Test(
    "is read as that address and shown in the usual form",
    arguments: [
      ("127.0.0.1:80", "127.0.0.1:80"),
      ("0.0.0.0:0", "0.0.0.0:0"),
      ("255.255.255.255:65535", "255.255.255.255:65535"),
      ("127.0.0.1:0080", "127.0.0.1:80"),
      ("[::1]:80", "[::1]:80"),
      ("[::]:0", "[::]:0"),
      ("[2001:DB8:0:0::1]:443", "[2001:db8::1]:443"),
      ("[fe80::1%7]:9", "[fe80::1%7]:9"),
      ("[::ffff:192.0.2.7]:80", "192.0.2.7:80"),
      ("unix:/run/x.sock", "unix:/run/x.sock"),
      ("unix:relative", "unix:relative"),
      ("unix:a:b", "unix:a:b"),
      ("unix:@name", "unix:@name"),
      ("unix:@@", "unix:@@"),
      ("unix:./@file", "unix:./@file"),
      ("unix:././@file", "unix:././@file"),
      ("unix:(unnamed)", "unix:(unnamed)"),
    ])
  func parsing(text: String, description: String) throws {
    let address = try SocketAddress(text)
    #expect(address.description == description)
    #expect(try SocketAddress(description) == address)
  }

  @Test(
    "leads back to the address that it came from",
    arguments: [
      SocketAddress.unix(path: ""), .unix(path: "(unnamed)"), .unix(path: "./(unnamed)"), .unix(path: "@x"),
      .unix(path: "./@x"), .unix(path: "././@x"), .unix(path: "./x"), .unix(path: "."), .unix(path: "/@x"),
      .unix(path: "a\nb"), .unix(abstract: "(unnamed)"), .unix(abstract: "./@x"), .unix(abstract: "a\0b"),
      .any6(port: 1), .loopback(port: 65_535),
    ])
  func roundTrip(address: SocketAddress) throws {
    #expect(try SocketAddress(address.description) == address)
  }

  @Test("names a network interface of this machine, and keeps its number")
  func interface() throws {
    let named = try SocketAddress("[fe80::1%lo]:80")
    #expect(named.description.hasPrefix("[fe80::1%"))
    #expect(named.description != "[fe80::1%lo]:80")
    #expect(try SocketAddress(named.description) == named)
    let error = #expect(throws: SocketError.self) { try SocketAddress("[fe80::1%nowhere0]:80") }
    #expect(error?.description.contains("no network interface \"nowhere0\"") == true)
  }

  @Test(
    "is refused when it is no address, with what is wrong and what to write",
    arguments: [
      ("", "no port"), ("127.0.0.1", "no port"), ("localhost", "no port"),
      ("localhost:80", "no numeric IPv4 or IPv6 address"), (":80", "no numeric"), ("::1", "needs brackets"),
      ("::1:80", "needs brackets"), ("[::1]", "no port after its brackets"), ("[::1:80", "no port after"),
      ("[127.0.0.1]:80", "no IPv6 address"), ("[::1]x:80", "no port after"), ("127.0.0.1:", "the port in"),
      ("127.0.0.1:65536", "the port in"), ("127.0.0.1:+1", "the port in"), ("127.0.0.1:-1", "the port in"),
      ("127.0.0.1: 1", "the port in"), ("127.0.0.1:80 ", "the port in"), (" 127.0.0.1:80", "no numeric"),
      ("[::1]:http", "the port in"), ("[::1\0]:80", "no numeric"), ("unix:", "is empty"),
      ("unix:@", "is empty"), ("unix:/a\0b", "zero byte"),
      ("unix:/" + String(repeating: "x", count: 107), "108 bytes"),
      ("unix:@" + String(repeating: "x", count: 108), "108 bytes"),
    ])
  func refused(text: String, problem: String) {
    let error = #expect(throws: SocketError.self) { try SocketAddress(text) }
    #expect(error?.description.hasPrefix("invalid argument: ") == true)
    #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
  }

  @Test(
    "is taken apart where host and port are two values, and says so when it is not",
    arguments: ["127.0.0.1:80", "[::1]", "[::1]:80", "localhost:80"])
  func hostWithPort(host: String) {
    let error = #expect(throws: SocketError.self) { try SocketAddress(host: host, port: 80) }
    #expect(error?.description.contains("give it without brackets and port") == true)
  }

  @Test(
    "is not needed: the bytes that protocols carry will do",
    arguments: [("192.0.2.7:80", 4), ("[2001:db8::102:304]:443", 16), ("0.0.0.0:0", 4), ("[::1]:1", 16)])
  func ipBytes(text: String, count: Int) throws {
    let address = try SocketAddress(text)
    let bytes = try #require(address.ipBytes)
    #expect(bytes.count == count)
    #expect(try SocketAddress(ipBytes: bytes, port: address.port ?? 0) == address)
    #expect(SocketAddress.loopback().ipBytes == [127, 0, 0, 1])
    #expect(SocketAddress.unix(path: "/x").ipBytes == nil)
    let mapped = [UInt8](repeating: 0, count: 10) + [255, 255, 192, 0, 2, 7]
    #expect(try SocketAddress(ipBytes: mapped, port: 80) == SocketAddress("192.0.2.7:80"))
    for wrong in [0, 3, 5, 15, 17] {
      #expect(throws: SocketError.invalid("an IP address has 4 or 16 bytes, not \(wrong)")) {
        try SocketAddress(ipBytes: [UInt8](repeating: 1, count: wrong), port: 80)
      }
    }
  }

  @Test("is what an address is encoded as: one string")
  func codable() throws {
    let addresses = try ["127.0.0.1:80", "[fe80::1%7]:9", "unix:/x", "unix:@x", "unix:(unnamed)"].map {
      try SocketAddress($0)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    let json = String(decoding: try encoder.encode(addresses), as: UTF8.self)
    #expect(json == #"["127.0.0.1:80","[fe80::1%7]:9","unix:/x","unix:@x","unix:(unnamed)"]"#)
    #expect(try JSONDecoder().decode([SocketAddress].self, from: Data(json.utf8)) == addresses)
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([SocketAddress].self, from: Data(#"["localhost:80"]"#.utf8))
    }
    #expect(error.map { "\($0)".contains("localhost") } == true)
  }

  @Test("does not decide the order of addresses: their numbers do")
  func order() throws {
    let sorted = try [
      "9.0.0.0:2", "10.0.0.0:1", "10.0.0.0:80", "[::1]:1", "[::2]:1", "[fe80::1%1]:1", "[fe80::1%2]:1",
      "unix:/a", "unix:/b", "unix:@a", "unix:@b",
    ].map { try SocketAddress($0) }
    for left in sorted.indices {
      for right in sorted.indices { #expect((sorted[left] < sorted[right]) == (left < right)) }
    }
    #expect(sorted.reversed().sorted() == sorted)
  }

  @Test("shows another port when the address is given one")
  func withPort() throws {
    #expect(SocketAddress.loopback(port: 1).withPort(2) == .loopback(port: 2))
    #expect(try SocketAddress("[fe80::1%7]:9").withPort(10).description == "[fe80::1%7]:10")
    #expect(SocketAddress.unix(path: "/x").withPort(2) == .unix(path: "/x"))
  }
}
