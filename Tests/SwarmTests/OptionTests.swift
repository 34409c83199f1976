import MultiClient
import Testing

@testable import swarm

@Suite("What the command line asks for")
struct OptionTests {
  private func options(_ arguments: String...) throws -> Options {
    guard case .run(let options) = try OptionParser.parse(arguments) else {
      throw UsageError("that is no run")
    }
    return options
  }

  @Test("nothing at all is 2,000 connections to a server of its own, 20 lines of 64 bytes each")
  func defaults() throws {
    let options = try options()
    #expect(options == Options())
    #expect(options.target == nil)
    #expect(options.connections == 2000)
    #expect(options.messages == 20)
    #expect(options.script == Script(.numbered(size: 64), expecting: .echo))
  }

  @Test("every option is read, with a space or an equals sign")
  func everything() throws {
    let all = try options(
      "--connect", "example.org:7", "--connections=10,000", "--messages", "5", "--duration", "1.5m", "--ramp",
      "1000", "--rate=2.5", "--timeout", "250ms", "--loops", "2", "--size", "100", "--json")
    #expect(all.target == .host("example.org", port: 7))
    #expect(all.connections == 10_000)
    #expect(all.messages == 5)
    #expect(all.duration == .seconds(90))
    #expect(all.ramp == 1000)
    #expect(all.rate == 2.5)
    #expect(all.timeout == .milliseconds(250))
    #expect(all.loops == 2)
    #expect(all.script.size == 100)
    #expect(all.printsJSON)
    #expect(try options("--think", "1s").think == .seconds(1))
  }

  @Test("with a duration there is no end of messages but that")
  func durationAlone() throws {
    #expect(try options("--duration", "10s").messages == nil)
    #expect(try options("--duration", "10s", "--messages", "3").messages == 3)
  }

  @Test("servers are names, addresses of both families, and Unix sockets")
  func targets() throws {
    #expect(try Destination.parse("localhost:80") == .host("localhost", port: 80))
    #expect(try Destination.parse("127.0.0.1:80") == .address(SocketAddress("127.0.0.1:80")))
    #expect(try Destination.parse("[::1]:80") == .address(SocketAddress("[::1]:80")))
    #expect(try Destination.parse("unix:/tmp/x") == .address(.unix(path: "/tmp/x")))
    #expect(try Destination.parse("unix:@x") == .address(.unix(abstract: "x")))
  }

  @Test("a text is sent and expected with its escapes, bytes in hexadecimal")
  func scripts() throws {
    let text = try options("--send", #"a\r\n\t\\\x00"#, "--expect", "+b", "--until", "").script
    #expect(text == Script(.text(Array("a\r\n\t\\\0".utf8)), expecting: .text(Array("+b".utf8)), until: []))
    let bytes = try options("--hex", "--send", "01ff 0A", "--expect", "02").script
    #expect(bytes == Script(.text([1, 255, 10]), expecting: .text([2]), isBytes: true))
    #expect(try options("--expect", "any").script.expectation == .any)
    #expect(try options("--send", "x", "--expect", "echo").script.expectation == .echo)
    #expect(
      try options("--send=--hex", "--expect=any").script
        == Script(.text(Array("--hex".utf8)), expecting: .any))
  }

  @Test("files to merge, and help")
  func others() throws {
    #expect(try OptionParser.parse(["--merge", "a", "b"]) == .merge(["a", "b"], printsJSON: false))
    #expect(try OptionParser.parse(["--json", "--merge", "a"]) == .merge(["a"], printsJSON: true))
    #expect(try OptionParser.parse(["--connections", "3", "--help"]) == .help)
    #expect(try OptionParser.parse(["-h"]) == .help)
  }

  @Test(
    "a mistake is told with the option, what was wrong and what to do",
    arguments: [
      (["--conections", "3"], ["--conections", "--connections?"]),
      (["--frobnicate"], ["--frobnicate", "--help"]),
      (["localhost:80"], ["localhost:80", "--connect"]),
      (["--connections"], ["--connections needs a value", "--connections 100"]),
      (["--connect", "--json"], ["--connect needs a value before --json"]),
      (["--connections", "x"], ["--connections", "1 to 8000000", "\"x\""]),
      (["--connections", "0"], ["--connections", "1 to 8000000"]),
      (["--messages", "99999999999999999999"], ["--messages"]),
      (["--connections", "3", "--connections", "4"], ["--connections", "twice"]),
      (["--duration", "3"], ["--duration", "10s", "\"3\""]),
      (["--duration", "0s"], ["--duration", "1ms"]),
      (["--timeout", "1e9h"], ["--timeout"]),
      (["--rate", "0"], ["--rate", "messages a second"]),
      (["--ramp", "nan"], ["--ramp", "connections a second"]),
      (["--loops", "4", "--connections", "2"], ["--loops 4", "--connections 2"]),
      (["--rate", "3", "--think", "1s"], ["--rate", "--think", "exclude"]),
      (["--ramp", "1", "--duration", "3s"], ["--ramp 1", "33 min 20 s", "--duration", "3 s"]),
      (["--connect", "foo"], ["--connect foo", "port", "foo:7"]),
      (["--connect", "foo:0"], ["--connect foo:0", "1 to 65535"]),
      (["--connect", "127.0.0.1:0"], ["--connect 127.0.0.1:0", "port 0"]),
      (["--connect", "::1:80"], ["--connect", "brackets"]),
      (["--connect", ":80"], ["--connect", "host name"]),
      (["--connect", "/tmp/x"], ["unix:/tmp/x"]),
      (["--send", #"\q"#], ["--send", #"\q"#, #"\xHH"#]),
      (["--send", #"\x1"#], ["--send", #"\x1"#]),
      (["--send", "x", "--size", "3"], ["--size", "--send", "exclude"]),
      (["--send", #"a\nb"#], ["--send", "--until", "--hex"]),
      (["--expect", ""], ["--expect", "any"]),
      (["--until", #"a\n"#], ["--until", "one line"]),
      (["--hex", "--send", "0"], ["--send", "--hex", "hexadecimal"]),
      (["--hex", "--until", "00"], ["--until", "--hex", "exclude"]),
      (["--hex", "--expect", "any"], ["--expect any", "--hex", "exclude"]),
      (["--hex", "--greeting"], ["--greeting", "--hex", "exclude"]),
      (["--json=yes"], ["--json takes no value"]),
      (["--merge"], ["--merge needs"]),
      (["--merge", "a", "--rate", "3"], ["--rate", "--merge", "exclude"]),
    ])
  func mistakes(arguments: [String], parts: [String]) throws {
    let error = try #require(throws: UsageError.self) { try OptionParser.parse(arguments) }
    for part in parts { #expect("\(error)".contains(part), "\(error)") }
  }

  @Test("the help names every option")
  func help() {
    for option in [
      "--connect", "--connections", "--messages", "--duration", "--ramp", "--rate", "--think", "--timeout",
      "--loops", "--size", "--send", "--expect", "--until", "--greeting", "--hex", "--json", "--merge",
      "--help",
    ] {
      #expect(Usage.text.contains("\(option) "))
    }
    #expect(Usage.text.split(separator: "\n").allSatisfy { $0.count <= 110 })
  }

  @Test("too many connections are told beforehand, with what is possible")
  func places() throws {
    var options = Options()
    options.connections = 6000
    let error = try #require(throws: UsageError.self) {
      try Places(descriptors: 10_160, ports: 28_232).check(options)
    }
    #expect("\(error)".contains("--connections 5000"))
    #expect("\(error)".contains("ulimit -Hn 12160"))
    try Places(descriptors: 12_160, ports: 1).check(options)
    options.target = .address(try SocketAddress("192.0.2.1:7"))
    let ports = try #require(throws: UsageError.self) {
      try Places(descriptors: 12_160, ports: 5999).check(options)
    }
    #expect("\(ports)".contains("--connections 5999"))
    #expect("\(ports)".contains("ip_local_port_range"))
    options.target = .address(.loopback(port: 7))
    try Places(descriptors: 12_160, ports: 5999).check(options)
  }
}
