import TCPClient

/// A client of the store. It asks one replica after the other until the primary has answered; each request is done once, or
/// if this throws perhaps.
struct StoreClient {
  /// No other client's.
  let name: String
  private(set) var number = 0
  private let client: TCPClient

  init(_ name: String, replicas: [String]) throws {
    self.name = name
    var configuration = TCPClient.Configuration()
    configuration.connectTimeout = .seconds(2)
    configuration.reconnect.initialDelay = .milliseconds(100)
    configuration.reconnect.maximumDelay = .seconds(1)
    // Who is not the primary answers, too.
    configuration.health = .marked
    client = TCPClient(to: try replicas.map { try Place($0).target }, configuration: configuration)
  }

  /// Asks `GET x`, `PUT x 1` or `APPEND x 1`.
  ///
  /// - Returns: the value that the key has then.
  mutating func ask(_ request: String) async throws -> String {
    number += 1
    let line = "DO \(name) \(number) \(request)"
    return try await client.run(framing: .lines) { [client] connection in
      let answer = try await connection.request(line, deadline: .after(.seconds(3)))
      guard answer.hasPrefix("OK ") else { return .reconnect }
      client.markHealthy()
      return .finish(String(answer.dropFirst(3)))
    }
  }

  /// Makes a replica the primary of a new epoch. It must belong to every epoch since the last promotion that was `OK`, that
  /// one included: a backup that has just joined may lack what others have.
  static func promote(_ replica: String, epoch: Int, backups: [String]) async throws -> String {
    let line = (["PROMOTE", "\(epoch)"] + backups).joined(separator: " ")
    let place = try Place(replica)
    return try await TCPClient.withConnection(to: place.host, port: place.port, framing: .lines) {
      connection in
      try await connection.request(line, deadline: .after(.seconds(5)))
    }
  }
}

/// `HOST:PORT`.
struct Place {
  let host: String
  let port: UInt16

  init(_ text: String) throws {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[colon...].dropFirst()),
      colon > text.startIndex
    else { throw SocketError.invalid("a replica is HOST:PORT, not \(text.debugDescription)") }
    host = String(text[..<colon])
    self.port = port
  }

  var target: TCPClient.Target { .host(host, port: port) }
}
