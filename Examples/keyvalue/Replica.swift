import Synchronization
import TCPServer

/// A machine that keeps the newest version of each key that it was told, as a server of lines:
///
/// ```
/// GET x                     5 alice an apple
/// SET x 6 bob a pear        OK                      when that, or a newer one, is on the disk
/// ```
final class Replica: Sendable {
  private let disk: any Disk
  private let versions: Mutex<[String: Version]>

  init(on disk: some Disk) throws {
    self.disk = disk
    var versions: [String: Version] = [:]
    for line in try disk.lines() {
      guard let (key, version) = Self.assignment(line) else {
        throw StoreError("no line of a replica: \(line)")
      }
      versions[key] = version
    }
    self.versions = Mutex(versions)
  }

  func run(_ server: TCPServer) async throws {
    try await server.run(framing: .lines) { connection in
      for try await line in connection.inbound { try await connection.send(try self.answer(line)) }
    }
  }

  func answer(_ line: String) throws -> String {
    let words = line.split(separator: " ", maxSplits: 1).map(String.init)
    switch (words.first, words.last) {
    case ("PING", "PING"): return "OK"
    case ("GET", let key?) where words.count == 2 && !key.contains(" "):
      return versions.withLock { $0[key, default: .none].description }
    case ("SET", let text?):
      guard let (key, version) = Self.assignment(text) else { return "NO SET KEY NUMBER WRITER VALUE" }
      try versions.withLock { versions in
        guard version > versions[key, default: .none] else { return }
        try disk.append(text)
        versions[key] = version
      }
      return "OK"
    default: return "NO GET, SET or PING"
    }
  }

  private static func assignment(_ text: String) -> (key: String, version: Version)? {
    let words = text.split(separator: " ", maxSplits: 1).map(String.init)
    guard words.count == 2, let version = Version(words[1]) else { return nil }
    return (words[0], version)
  }
}
