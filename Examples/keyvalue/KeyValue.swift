import Glibc
import TCPClient
import TCPServer

/// A key-value store on several machines. What it has acknowledged survives the loss of any one of three, and of any two of
/// five, and it goes on answering meanwhile.
///
/// ```sh
/// keyvalue serve 7001 values                      # on each of a, b and c, with a file of its own
/// keyvalue put x 'an apple' a:7001 b:7001 c:7001
/// keyvalue get x a:7001 b:7001 c:7001
/// ```
@main
struct KeyValue {
  static func main() async {
    do {
      if try await run(Array(CommandLine.arguments.dropFirst())) { return }
      print("usage: keyvalue serve PORT FILE | get KEY HOST:PORT... | put KEY VALUE HOST:PORT...")
      exit(2)
    } catch {
      print("keyvalue: \(error)")
      exit(1)
    }
  }

  /// - Returns: whether it could be understood.
  static func run(_ arguments: [String]) async throws -> Bool {
    guard let command = arguments.first, let key = arguments.dropFirst().first else { return false }
    switch (command, arguments.count) {
    case ("serve", 3):
      guard let port = UInt16(key) else { return false }
      let replica = try Replica(on: try FileDisk(arguments[2]))
      try await replica.run(try await TCPServer.bind(on: .any(port: port)))
    case ("get", 3...):
      guard let client = client(arguments[2...]) else { return false }
      print(try await using(client) { try await client.get(key) })
    case ("put", 4...):
      guard let client = client(arguments[3...]), !key.contains(" ") else { return false }
      try await using(client) { try await client.put(arguments[2], for: key) }
    default: return false
    }
    return true
  }

  private static func client(_ places: ArraySlice<String>) -> StoreClient? {
    let replicas = places.compactMap { place -> (host: String, port: UInt16)? in
      guard let colon = place.lastIndex(of: ":"), let port = UInt16(place[colon...].dropFirst()) else {
        return nil
      }
      return (String(place[..<colon]), port)
    }
    guard replicas.count == places.count else { return nil }
    return StoreClient(String(UInt64.random(in: 0...(.max)), radix: 36), replicas: replicas)
  }

  static func using<Value>(_ client: StoreClient, _ body: () async throws -> Value) async throws -> Value {
    async let _ = client.run()
    return try await withDeadline(.after(.seconds(10))) { try await body() }
  }
}
