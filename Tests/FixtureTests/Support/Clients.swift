import Peers
import TestHarness

extension TestServer {
  /// A client of plain POSIX calls.
  func connect(host: String = "127.0.0.1", receiveBuffer: Int32? = nil) async throws -> BlockingPeer {
    try await onThread { [port] in try .connect(port: port, host: host, receiveBuffer: receiveBuffer) }
  }

  /// Whether an attempt to connect is refused.
  func refuses(host: String = "127.0.0.1") async throws -> Bool {
    do {
      try await connect(host: host).close()
      return false
    } catch let error as PeerError where "\(error)".contains("ECONNREFUSED") {
      return true
    }
  }
}

extension BlockingPeer {
  /// Receives so many lines.
  func lines(_ count: Int) async throws -> [String] {
    try await onThread { [self] in try (0..<count).map { _ in try receiveLine() } }
  }

  /// Sends a line, and receives one.
  func ask(_ line: String) async throws -> String {
    try await onThread { [self] in
      try send(line + "\n")
      return try receiveLine()
    }
  }

  /// All that comes until the other end finishes or resets the connection.
  func rest() async throws -> (text: String, ending: Ending) {
    let (bytes, ending) = try await onThread { [self] in try receiveToEnding() }
    return (String(decoding: bytes, as: UTF8.self), ending)
  }
}
