import Synchronization
import TCPClient
import TCPServer

/// A replica of the store as a server of lines, and a client of the other replicas:
///
/// ```
/// PROMOTE 2 b:7002 c:7003               OK                    be the primary of epoch 2; when these have all it has
/// DO alice 7 APPEND x 1                 OK 01                 when all backups have it
/// OFFER 2 12 12 1 2 alice 7 APPEND x 1  HAS 13                from the primary to a backup
///                                       NO reason
/// ```
final class Replica: Sendable {
  /// Mistakes for the tests to find.
  enum Flaw { case answersEarly, forgetsClients }

  private typealias Other = (name: String, session: TCPClient.Session<LineFraming, Never>)

  private let others: [Other]
  private let log = Mutex(ReplicatedLog())
  private let flaw: Flaw?
  /// Is told of each command that this replica executes as the primary, or as a new primary in its turn.
  private let onExecution: @Sendable (Command, String) -> Void

  init(
    others: [String], flaw: Flaw? = nil,
    onExecution: @escaping @Sendable (Command, String) -> Void = { _, _ in }
  ) throws {
    self.flaw = flaw
    self.onExecution = onExecution
    var configuration = TCPClient.Configuration()
    configuration.connectTimeout = .seconds(2)
    configuration.reconnect.initialDelay = .milliseconds(100)
    configuration.reconnect.maximumDelay = .seconds(2)
    self.others = try others.map { name in
      let client = TCPClient(to: [try Place(name).target], configuration: configuration)
      // A backup that does not answer is connected to again.
      let heartbeat = TCPClient.Heartbeat.request("PING", every: .seconds(1), silence: .seconds(3))
      return (name, client.session(framing: .lines, whileDisconnected: .wait, heartbeat: heartbeat))
    }
  }

  func run(_ server: TCPServer) async throws {
    try await withThrowingDiscardingTaskGroup { group in
      for (_, session) in others {
        group.addTask { do { try await session.run() } catch is CancellationError {} }
      }
      try await server.run(framing: .lines) { connection in
        for try await line in connection.inbound { try await connection.send(await self.answer(line)) }
      }
      group.cancelAll()
    }
  }

  func answer(_ line: String) async -> String {
    let words = line.split(separator: " ", maxSplits: 1).map(String.init)
    switch (words.first, words.dropFirst().first) {
    case ("PING", nil): return "OK"
    case ("DO", let text?):
      guard let command = Command(text) else { return "NO command: CLIENT NUMBER GET|PUT|APPEND KEY [VALUE]" }
      return await perform(command)
    case ("OFFER", let text?):
      guard let offer = ReplicatedLog.Offer(text) else { return "NO offer" }
      let (place, epoch) = log.withLock { ($0.accept(offer), $0.epoch) }
      return place.map { "HAS \($0)" } ?? "NO there is an epoch \(epoch)"
    case ("PROMOTE", let text?):
      let words = text.split(separator: " ").map(String.init)
      guard let epoch = words.first.flatMap({ Int($0) }), words.dropFirst().allSatisfy({ session($0) != nil })
      else { return "NO such replicas; it knows \(others.map(\.name).joined(separator: ", "))" }
      return await promote(to: epoch, with: Array(words.dropFirst()))
    default: return "NO DO, OFFER, PROMOTE or PING"
    }
  }

  /// Answers when all backups have the command, or a second later that it is not known whether they do.
  private func perform(_ command: Command) async -> String {
    guard let (index, epoch, backups) = log.withLock({ $0.append(command) }) else {
      return "NO not the primary"
    }
    do {
      try await replicate(through: index, in: epoch, to: backups)
    } catch {
      if flaw != .answersEarly { return "NO \(error)" }
    }
    let (done, reply) = log.withLock { log in
      let done = log.execute(through: index, in: epoch, forgetful: flaw == .forgetsClients)
      return (done, done == nil ? nil : log.reply(to: index))
    }
    for (command, reply) in done ?? [] { onExecution(command, reply) }
    return reply.map { "OK \($0)" } ?? "NO longer the primary"
  }

  /// Becomes the primary, and answers when all backups have what it has. Only then can any of them follow it.
  private func promote(to epoch: Int, with backups: [String]) async -> String {
    let (problem, last) = log.withLock { ($0.promote(to: epoch, with: backups), $0.lastIndex) }
    if let problem { return "NO \(problem)" }
    do {
      if let last { try await replicate(through: last, in: epoch, to: backups) }
      return "OK"
    } catch {
      return "NOT YET: \(error)"
    }
  }

  private func replicate(through index: Int, in epoch: Int, to backups: [String]) async throws {
    try await withThrowingTaskGroup { group in
      for backup in backups { group.addTask { try await self.bring(backup, to: index, in: epoch) } }
      try await group.waitForAll()
    }
  }

  private struct Refused: Error { let answer: String }

  /// Offers a backup what it lacks, up to an entry.
  private func bring(_ backup: String, to index: Int, in epoch: Int) async throws {
    guard let session = session(backup) else { throw Refused(answer: "unknown") }
    var next = index
    while next <= index {
      guard let offer = log.withLock({ $0.offer(of: next, in: epoch) }) else {
        throw Refused(answer: "deposed")
      }
      let answer = try await session.request("OFFER \(offer)", deadline: .after(.seconds(1)))
      guard answer.hasPrefix("HAS "), let place = Int(answer.dropFirst(4)), place >= 0 else {
        throw Refused(answer: answer)
      }
      next = place
    }
  }

  private func session(_ name: String) -> TCPClient.Session<LineFraming, Never>? {
    others.first { $0.name == name }?.session
  }
}
