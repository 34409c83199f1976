import Glibc
import Peers

/// The example server, running in a process of its own.
struct Rot13Process {
  let process: ChildProcess
  let port: UInt16

  var facts: ProcessFacts { ProcessFacts(id: process.id) }

  /// A client of it.
  func connect(receiveBuffer: Int32? = nil) async throws -> BlockingPeer {
    try await onThread { [port] in try .connect(port: port, receiveBuffer: receiveBuffer) }
  }
}

/// Runs `body` beside the example server, which is gone when this returns.
func withRot13<Result>(
  _ arguments: [String] = [], _ body: (Rot13Process) async throws -> Result
) async throws -> Result {
  try await withChildProcess(builtExecutable("rot13"), arguments) { process in
    let line = try await process.readLine()
    guard let port = line.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw PeerError.invalid("rot13 says \(line.debugDescription) and \(process.errorOutput)")
    }
    return try await body(Rot13Process(process: process, port: port))
  }
}

/// What the example makes of a text.
func rot13(_ text: String) -> String { String(decoding: text.utf8.map(rot13), as: UTF8.self) }

/// What the example makes of bytes.
func rot13(_ bytes: [UInt8]) -> [UInt8] { bytes.map(rot13) }

private func rot13(_ byte: UInt8) -> UInt8 {
  switch byte | 0x20 {
  case UInt8(ascii: "a")...UInt8(ascii: "m"): byte + 13
  case UInt8(ascii: "n")...UInt8(ascii: "z"): byte - 13
  default: byte
  }
}
