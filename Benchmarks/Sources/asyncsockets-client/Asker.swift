import ClientArguments
import Glibc
import MultiClient
import Synchronization

/// A client as a handler without a task: sends a message, and the next when it has come back.
struct Asker: ByteHandler {
  private let message: [UInt8]
  private let askers: Askers
  private var round: Round
  private var received = 0

  /// - Parameter round: is over with the first message.
  init(_ message: [UInt8], _ askers: Askers, opening round: Round) {
    self.message = message
    self.askers = askers
    self.round = round
  }

  mutating func connected(_ context: borrowing HandlerContext<RawFraming>) throws {
    askers.add(context.reference(to: self))
    try context.send(message)
  }

  mutating func join(_ round: Round, _ context: borrowing HandlerContext<RawFraming>) throws {
    self.round = round
    if round.takeMessage() { try context.send(message) }
  }

  mutating func received(_ bytes: RawSpan, _ context: borrowing HandlerContext<RawFraming>) throws {
    guard isExpected(bytes) else { throw ClientError("what came back differs from what was sent") }
    received += bytes.byteCount
    guard received == message.count else { return }
    received = 0
    round.countReply()
    if round.takeMessage() { try context.send(message) }
  }

  private func isExpected(_ bytes: RawSpan) -> Bool {
    let expected = message.span.bytes.extracting(droppingFirst: received)
    return bytes.byteCount <= expected.byteCount
      && bytes.isEqual(to: expected.extracting(first: bytes.byteCount))
  }

  mutating func closed(_ reason: CloseReason) {
    print("a connection ended: \(reason)")
    exit(1)
  }
}

extension RawSpan {
  fileprivate func isEqual(to other: RawSpan) -> Bool {
    withUnsafeBytes { left in
      other.withUnsafeBytes { right in
        guard let first = left.baseAddress, let second = right.baseAddress else { return left.isEmpty }
        return memcmp(first, second, left.count) == 0
      }
    }
  }
}

/// The ways to all of them.
final class Askers: Sendable {
  private let references = Mutex<[HandlerReference<Asker>]>([])

  func add(_ reference: HandlerReference<Asker>) { references.withLock { $0.append(reference) } }

  func exchange(_ round: Round) async {
    for reference in references.withLock({ $0 }) {
      reference.perform { asker, context in try asker.join(round, context) }
    }
    await round.end()
  }
}
