import Glibc

/// What every server here is started with: `--port N MODE`.
public struct ServerArguments: Sendable {
  /// The job of the server.
  public enum Mode: String, CaseIterable, Sendable {
    /// Send back what comes, in the pieces in which it comes.
    case chunk
    /// The same with a deadline of 30 s on each read; this library's server alone.
    case chunkDeadline
    /// An echo on two event loops behind one acceptor; this library's server alone.
    case chunkTwoLoops
    /// An echo on two event loops, each with a listener of its own (`SO_REUSEPORT`); this library's server alone.
    case chunkReusePort
    /// Split the input into lines, and send each back, as `String`.
    case line
    /// The same with every limit and all events on; this library's server alone.
    case lineLimits
    /// Lines as bytes.
    case lineBytes
    /// Split the input into blocks after lengths of four bytes, network byte order, and send each back.
    case block
    /// Read to the end, then answer with the number of bytes, in decimal, and a newline.
    case sink
    /// A chat: greet everybody with a line, and send each line that comes to everybody.
    case fanout
  }

  /// The port to listen on; 0 lets the system choose.
  public let port: Int
  /// The job of the server.
  public let mode: Mode

  /// Reads the command line, and lets the process have as many descriptors as it may.
  public init() {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, arguments[1] == "--port", let port = UInt16(arguments[2]),
      let mode = Mode(rawValue: arguments[3])
    else {
      print("usage: \(arguments[0]) --port N \(Mode.allCases.map(\.rawValue).joined(separator: "|"))")
      exit(2)
    }
    self.port = Int(port)
    self.mode = mode
    raiseDescriptorLimit()
  }

  /// Says that the server listens.
  public func announce(port: Int) {
    print("ready \(port)")
    fflush(nil)
  }
}

/// Lets the process have as many descriptors as it may.
public func raiseDescriptorLimit() {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
