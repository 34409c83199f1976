import Synchronization

/// What those who use a connection one after the other leave behind, noted as it happens.
///
/// It is part of the settings of connections that are lent; others have none.
final class LoanRecord: Sendable {
  private struct Codec {
    weak var handle: (any CodecHandle)?
  }

  private struct Requests {
    weak var table: (any LentRequests)?
  }

  /// Somebody has had the connection.
  let hasBegun = Atomic<Bool>(false)
  /// A read or a request has timed out or was cancelled: what it waited for may come yet.
  let hasGivenUp = Atomic<Bool>(false)
  /// Nobody else can have it: requests have failed for good, a codec was given up within a frame, or the socket is not as
  /// it was.
  let isSpoiled = Atomic<Bool>(false)
  /// A decoder of the user's own has taken part of a frame, and no more yet.
  let isWithinFrame = Atomic<Bool>(false)
  private let codecs = Lock<[Codec]>([])
  private let requests = Lock<[Requests]>([])
  /// The limits that everybody is to find.
  private let limits = Lock<ConnectionLimits?>(nil)

  func add(_ handle: any CodecHandle) {
    codecs.withLock { codecs in
      codecs.removeAll { $0.handle == nil }
      codecs.append(Codec(handle: handle))
    }
  }

  func add(_ table: any LentRequests) {
    requests.withLock { requests in
      requests.removeAll { $0.table == nil }
      requests.append(Requests(table: table))
    }
  }

  /// It can't be lent again.
  func spoil() { isSpoiled.store(true, ordering: .relaxed) }

  /// The socket or what carries the connection is not as it was: before the first loan, that is how it is lent.
  func spoilIfLent() {
    if hasBegun.load(ordering: .relaxed) { spoil() }
  }

  /// The next loan begins: what was given up before is no concern of it.
  func begin(_ limits: ConnectionLimits) {
    hasGivenUp.store(false, ordering: .relaxed)
    if hasBegun.exchange(true, ordering: .relaxed) { return }
    self.limits.withLock { $0 = limits }
    // A codec that was left for another before counts as gone; after that, somebody else may still hold it.
    codecs.withLock { $0.removeAll { $0.handle?.isSwitched ?? true } }
  }

  /// Whether the next one finds nothing of those before. For the holder of the reading's claim.
  func isSettled(_ limits: ConnectionLimits) -> Bool {
    if hasGivenUp.load(ordering: .relaxed) || isSpoiled.load(ordering: .relaxed) { return false }
    if isWithinFrame.load(ordering: .relaxed) { return false }
    if let first = self.limits.withLock({ $0 }), first != limits { return false }
    return requests.withLock { $0 }.allSatisfy { $0.table?.isAtRest ?? true }
      && codecs.withLock { $0 }.allSatisfy { $0.handle?.isAtRest ?? true }
  }
}

/// The requests of a connection, for those who need not know their codec.
protocol LentRequests: AnyObject, Sendable {
  /// Whether no reply is to come, and no frame lies about that nobody has taken.
  var isAtRest: Bool { get }
}

extension ConnectionCore {
  /// What is noted of its users, if it is lent.
  var loans: LoanRecord? { state.withLock { $0.settings.loans } }

  /// A decoder of the user's own has been used, and is within a frame or not.
  @usableFromInline @inline(never)
  func noteDecoder(isWithinFrame: Bool) { loans?.isWithinFrame.store(isWithinFrame, ordering: .relaxed) }

  /// A read or request was given up, or, if `failed`, no request can be made any more: that concerns whoever is lent the
  /// connection next.
  @inline(never)
  func noteUnsettled(failed: Bool = false) {
    guard let loans else { return }
    if failed {
      loans.spoil()
    } else {
      loans.hasGivenUp.store(true, ordering: .relaxed)
    }
  }
}
