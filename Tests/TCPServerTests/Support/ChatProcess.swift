import Peers

/// The example chat, running in a process of its own.
struct ChatProcess {
  let process: ChildProcess
  let port: UInt16

  /// A member who has been greeted; its name.
  func join() async throws -> (peer: BlockingPeer, name: String) {
    try await onThread { [port] in
      let peer = try BlockingPeer.connect(port: port)
      let greeting = try peer.receiveLine()
      guard greeting.hasPrefix("* you are "), let name = greeting.dropFirst(10).split(separator: ";").first
      else {
        throw Unexpected(description: "greeted with \(greeting)")
      }
      return (peer, String(name))
    }
  }
}

/// Runs `body` beside the example chat, which is gone when this returns.
func withChat<Result>(
  patience: String = "600", _ body: (ChatProcess) async throws -> Result
) async throws -> Result {
  try await withChildProcess(builtExecutable("chat"), ["0", patience]) { process in
    let line = try await process.readLine()
    guard let port = line.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw PeerError.invalid("chat says \(line.debugDescription) and \(process.errorOutput)")
    }
    return try await body(ChatProcess(process: process, port: port))
  }
}
