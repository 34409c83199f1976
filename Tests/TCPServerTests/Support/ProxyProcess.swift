import Peers

/// The example proxy in a process of its own, in front of a port.
struct ProxyProcess {
  let process: ChildProcess
  let port: UInt16

  /// A client of it.
  func connect(receiveBuffer: Int32? = nil) async throws -> BlockingPeer {
    try await onThread { [port] in try .connect(port: port, receiveBuffer: receiveBuffer) }
  }
}

/// Runs `body` beside the example proxy, which is gone when this returns.
func withProxy<Result>(to target: String, _ body: (ProxyProcess) async throws -> Result) async throws
  -> Result
{
  try await withChildProcess(builtExecutable("proxy"), ["--listen", "0", "--to", target]) { process in
    let line = try await process.readLine()
    guard let port = line.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw PeerError.invalid("proxy says \(line.debugDescription) and \(process.errorOutput)")
    }
    return try await body(ProxyProcess(process: process, port: port))
  }
}

/// Whether a command can be run here and ends well.
func works(_ command: String, _ arguments: [String]) async -> Bool {
  do {
    return try await withChildProcess(command, arguments) { process in
      process.closeInput()
      return try await process.waitForExit() == .exited(0)
    }
  } catch {
    return false
  }
}
