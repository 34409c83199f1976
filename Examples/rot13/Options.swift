import TCPServer

/// The command line.
struct Options {
  static let usage = """
    usage: rot13 [--events] [--host ADDRESS] [--port NUMBER]
           rot13 [--events] --unix PATH

    Listens, and answers each line in rot13 with the terminator that it came with.

      --host ADDRESS  a numeric IPv4 or IPv6 address (default 127.0.0.1)
      --port NUMBER   0 to 65535; 0 lets the system choose (default 0)
      --unix PATH     a Unix socket instead
      --events        says what happens on standard error
      --help          this text
    """

  enum Failure: Error {
    case help
    case usage(String)

    func exit() -> Never {
      switch self {
      case .help:
        print(Options.usage)
        StandardOutput.exit(0)
      case .usage(let problem):
        StandardOutput.fail("rot13: \(problem)\n\(Options.usage)", status: 2)
      }
    }
  }

  let address: SocketAddress
  private(set) var tellsEvents = false

  init(_ arguments: some Sequence<String>) throws(Failure) {
    var host: String?
    var port: UInt16?
    var path: String?
    var rest = arguments.makeIterator()
    while let option = rest.next() {
      if option == "--help" || option == "-h" { throw .help }
      if option == "--events" {
        tellsEvents = true
        continue
      }
      guard ["--host", "--port", "--unix"].contains(option) else {
        throw .usage("unknown argument \"\(option)\"")
      }
      guard let value = rest.next() else { throw .usage("\(option) needs a value") }
      switch option {
      case "--host": host = value
      case "--unix": path = value
      default:
        guard let number = UInt16(value) else {
          throw .usage("--port needs a number from 0 to 65535, not \"\(value)\"")
        }
        port = number
      }
    }
    if let path {
      guard host == nil, port == nil else { throw .usage("--unix goes with neither --host nor --port") }
      address = .unix(path: path)
      return
    }
    do throws(SocketError) {
      address = try SocketAddress(host: host ?? "127.0.0.1", port: port ?? 0)
    } catch {
      throw .usage("--host: \(error)")
    }
  }
}
