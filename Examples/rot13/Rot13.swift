import TCPServer

/// A line server that answers each line in rot13, with the terminator that it came with.
@main
struct Rot13 {
  static func main() async {
    let options: Options
    do throws(Options.Failure) {
      options = try Options(CommandLine.arguments.dropFirst())
    } catch {
      error.exit()
    }
    do {
      var configuration = TCPServer.Configuration()
      if options.tellsEvents { configuration.onEvent = { StandardOutput.report("\($0)") } }
      let server = try await TCPServer.bind(on: options.address, configuration: configuration)
      let signals = try ProcessSignals(.interrupt, .terminate)
      print("listening on \(server.address)")
      StandardOutput.flush()

      try await withThrowingDiscardingTaskGroup { group in
        group.addTask {
          for await _ in signals { return server.beginDrain(deadline: .milliseconds(500)) }
        }
        try await server.run(framing: LineFraming().bytes.keepingTerminator) { connection in
          for try await line in connection.inbound {
            try await connection.send(line.map(rot13))
          }
        }
        group.cancelAll()
      }
    } catch {
      StandardOutput.fail("rot13: \(error)", status: 1)
    }
  }

  /// Turns the ASCII letters and nothing else, so that any bytes survive.
  static func rot13(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "m"), UInt8(ascii: "A")...UInt8(ascii: "M"): byte + 13
    case UInt8(ascii: "n")...UInt8(ascii: "z"), UInt8(ascii: "N")...UInt8(ascii: "Z"): byte - 13
    default: byte
    }
  }
}
