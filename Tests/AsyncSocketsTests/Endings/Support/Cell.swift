import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

/// Who waits for the peer when it does what it does.
enum Waiting: String, CaseIterable, Sendable {
  case nobody, reader, writer, both

  var hasReader: Bool { self == .reader || self == .both }
  var hasWriter: Bool { self == .writer || self == .both }
}

/// A row of the matrix: what happens to the connection, and what each call answers from then on.
struct Row: Sendable {
  let name: String
  /// What reads answer in turn, the last of these for ever. Empty: a read waits.
  var reads: [Answer] = []
  /// What a send that waited for room answers.
  var waitingWriter: Set<Answer> = [.done]
  /// What every send answers, flushed.
  var sends = Answer.done
  /// Whether the kernel may take some bytes before it says so: it learns of a peer's end by the reply to them.
  var takesSomeFirst = false
  var flushes = Answer.done
  var finishes = Answer.done
  let reason: CloseReason
  /// Whether this side has ended its stream when the peer acts.
  var isEnded = false
  /// Whether the peer still takes what waits to be written.
  var peerReads = true
  /// Whether the peer is to have input that it does not read.
  var leavesInput = false
  /// Whether the peer has nothing unread though writers wait: the kernel takes no bytes for once.
  var stallsInKernel = false
  /// What the peer does.
  let act: @Sendable (BlockingPeer) throws -> Void
}

/// One row with one kind of waiting, over one kind of socket, on the loop or off it.
struct Cell: Sendable {
  let row: Row
  let waiting: Waiting
  let route: Route
  let round: Int
  let kernel: CountingKernel
  let link: Link

  private static let tooMuch = 600_000

  private var connection: Connection { link.connection }

  private func expect(_ what: String, _ answer: Answer?, _ expected: Set<Answer>) {
    guard let answer, !expected.contains(answer) else { return }
    let words = expected.map(\.description).sorted().joined(separator: " or ")
    Issue.record("\(self): \(what): \(answer), not \(words)")
  }

  /// Brings the connection to its end and compares every answer on the way.
  func play() async throws {
    if waiting.hasWriter { try await fill() } else { try await prepare() }
    async let reader = waiting.hasReader ? connection.answerToRead() : nil
    if waiting.hasReader { try await untilReading(connection) }
    async let writer = waiting.hasWriter ? answerOfWriter() : nil
    if waiting.hasWriter { try await untilWriting(connection) }

    try row.act(link.peer)
    if round.isMultiple(of: 2) { for _ in 0..<3 { await link.loop.nextTurn() } }
    async let drained: Void = drain()
    if row.reads.isEmpty, waiting.hasReader {
      for _ in 0..<3 { await link.loop.nextTurn() }
      #expect(hasReader(connection), "\(row.name) wakes no reader")
      try link.peer.send("late")
    }
    let wasRead = await reader
    expect("the read that waited", wasRead, [row.reads.first ?? .data("late")])
    expect("the send that waited", await writer, row.waitingWriter)
    try await drained

    try await untilHeard()
    // Each direction is the first to notice in half of the rounds.
    if round % 4 < 2 { await checkReads(after: wasRead) }
    await checkSends()
    if round % 4 >= 2 { await checkReads(after: wasRead) }
    await checkForEver()
    await checkEnd()
  }

  private func answerOfWriter() async -> Answer {
    await Answer {
      if row.isEnded { try await connection.finishWriting() } else { try await connection.send("more") }
      return .done
    }
  }

  private func prepare() async throws {
    if row.leavesInput {
      try await connection.send("unread")
      try await connection.flush()
      try await eventually("the peer has it") { hasInput(link.peer) }
    }
    if row.isEnded { try await connection.finishWriting() }
  }

  private func fill() async throws {
    if row.stallsInKernel {
      // The first event says that there is room; what is refused after it stays until the peer acts.
      await letSettle(link.loop)
      kernel.failSends(with: [EAGAIN])
    }
    try await connection.sendWithoutWaiting(payload(Self.tooMuch))
  }

  /// What was in the writers' way goes to the peer.
  private func drain() async throws {
    guard waiting.hasWriter, row.peerReads else { return }
    let count = Self.tooMuch + (row.isEnded ? 0 : 4)
    let received = try await onThread { try link.peer.receive(exactly: count) }
    #expect(areSame(Array(received.prefix(Self.tooMuch)), payload(Self.tooMuch)))
  }

  /// What a peer that has gone leaves is in the kernel by now, also when nobody was told.
  private func untilHeard() async throws {
    guard !row.peerReads else { return }
    try await soon("the kernel has heard of the peer's end", on: link.loop) {
      connection.core.withDescriptor { descriptor in
        var state = pollfd(
          fd: descriptor, events: Int16(truncatingIfNeeded: Epoll.Events.peerEnded.rawValue), revents: 0)
        return unsafe poll(&state, 1, 0) == 1
      } ?? true
    }
  }

  private func checkReads(after first: Answer?) async {
    for expected in row.reads.dropFirst(first == nil ? 0 : 1) {
      expect("a read", await connection.answerToRead(), [expected])
    }
  }

  private func checkSends() async {
    var answer = await connection.answerToSend()
    if row.takesSomeFirst {
      for _ in 0..<1000 where answer == .done {
        await link.loop.nextTurn()
        answer = await connection.answerToSend()
      }
    }
    expect("a send", answer, [row.sends])
  }

  private func checkForEver() async {
    for _ in 0..<3 {
      if let last = row.reads.last { expect("a later read", await connection.answerToRead(), [last]) }
      expect("a later send", await connection.answerToSend(), [row.sends])
      expect("a later flush", await connection.answerToFlush(), [row.flushes])
      await link.loop.nextTurn()
    }
    for _ in 0..<2 { expect("an end of this stream", await connection.answerToFinish(), [row.finishes]) }
  }

  private func checkEnd() async {
    // Else the close would wait for it.
    link.peer.close()
    await connection.close()
    #expect(connection.closeReason == row.reason, "\(self)")
    let last: Answer = [.reset, .brokenPipe].contains(row.sends) ? row.sends : .closed
    expect("a read at the end", await connection.answerToRead(), [last])
  }
}

extension Cell: CustomStringConvertible {
  var description: String { "\(row.name), waiting: \(waiting), \(route.testDescription), round \(round)" }
}
