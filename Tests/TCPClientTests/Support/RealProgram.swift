import AsyncSockets
import Peers
import TestHarness

/// Whether a program can be run here.
func isInstalled(_ program: String) async -> Bool {
  do {
    return try await withChildProcess("sh", ["-c", "command -v \(program)"]) { process in
      process.closeInput()
      return try await process.waitForExit() == .exited(0)
    }
  } catch {
    return false
  }
}

/// Runs `body` beside a server that somebody else has written, once it listens on an address that nobody else uses.
func withProgram(
  _ program: String, arguments: (SocketAddress) -> [String], input: (SocketAddress) -> String = { _ in "" },
  _ body: (SocketAddress) async throws -> Void
) async throws {
  let address = try ownAddress()
  try await withChildProcess(program, arguments(address)) { process in
    try await process.send(input(address))
    process.closeInput()
    try await untilListening(address, "\(program) \(process.errorOutput)")
    try await body(address)
  }
}

/// An address of this machine, with a port, on which only a server listens that is told of it.
func ownAddress() throws -> SocketAddress {
  let part = { Int.random(in: 1...254) }
  let host = "127.\(part()).\(part()).\(part())"
  let listener = try BlockingListener(host: host)
  defer { listener.close() }
  return try SocketAddress(host: host, port: listener.port)
}

/// Waits until somebody listens there.
func untilListening(_ address: SocketAddress, _ what: @autoclosure () -> String) async throws {
  try await eventually("\(what()) listens on \(address)") {
    (try? BlockingPeer.connect(port: address.port ?? 0, host: address.host)) != nil
  }
}
