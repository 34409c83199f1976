import Synchronization
import TCPClient

/// A client of the store, for as long as `run` does. It waits for the majority of the replicas, however long that takes.
///
/// Any two majorities have a replica in common, which knows what was written last. (Attiya, Bar-Noy and Dolev, *Sharing
/// memory robustly in message-passing systems*, 1995, with several writers: Lynch and Shvartsman, 1997.)
final class StoreClient: Sendable {
  /// No other client's, ever.
  private let name: String
  private let sessions: [TCPClient.Session<LineFraming, Never>]
  private let lastNumber = Mutex(0)

  init(_ name: String, replicas: [(host: String, port: UInt16)]) {
    self.name = name
    var configuration = TCPClient.Configuration()
    configuration.connectTimeout = .seconds(2)
    configuration.reconnect.maximumDelay = .seconds(2)
    sessions = replicas.map { host, port in
      TCPClient(to: host, port: port, configuration: configuration).session(
        framing: .lines, whileDisconnected: .wait,
        heartbeat: .request("PING", every: .seconds(1), silence: .seconds(3)))
    }
  }

  /// Keeps it connected, until it is cancelled.
  func run() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for session in sessions { group.addTask { try await session.run() } }
    }
  }

  func get(_ key: String) async throws -> String {
    let version = try await newest(of: key)
    // Now no majority is without it, or who reads later could see what was before.
    try await store(version, for: key)
    return version.value
  }

  /// If this throws, the value may be written at any time later, or never.
  func put(_ value: String, for key: String) async throws {
    let newest = try await newest(of: key).number
    let number = lastNumber.withLock { last in
      // Its own last one may have got to a minority, or nowhere.
      last = max(last, newest) + 1
      return last
    }
    try await store(Version(number: number, writer: name, value: value), for: key)
  }

  func newest(of key: String) async throws -> Version {
    let answers = try await askMajority("GET \(key)")
    let versions = answers.compactMap { Version($0) }
    guard let newest = versions.max(), versions.count == answers.count else {
      throw StoreError("no replicas, or no versions: \(answers)")
    }
    return newest
  }

  private func store(_ version: Version, for key: String) async throws {
    let answers = try await askMajority("SET \(key) \(version)")
    if let refusal = answers.first(where: { $0 != "OK" }) { throw StoreError(refusal) }
  }

  private func askMajority(_ question: String) async throws -> [String] {
    try await withThrowingTaskGroup { group in
      for session in sessions { group.addTask { try await Self.ask(session, question) } }
      var answers: [String] = []
      while answers.count <= sessions.count / 2, let answer = try await group.next() {
        answers.append(answer)
      }
      group.cancelAll()
      return answers
    }
  }

  /// Asks again after each lost connection: twice is as good as once.
  private static func ask(
    _ session: TCPClient.Session<LineFraming, Never>, _ question: String
  ) async throws -> String {
    while true {
      do {
        return try await session.request(question)
      } catch TCPClient.SessionError.outcomeUnknown {}
    }
  }
}
