import Synchronization

/// What those who use a connection one after the other leave behind, noted as it happens.
///
/// It is part of the settings of connections that are lent; others have none.
final class LoanRecord: Sendable {
  private struct Codec {
    weak var handle: (any CodecHandle)?
  }

  /// Somebody has had the connection.
  let hasBegun = Atomic<Bool>(false)
  /// A read or a request has timed out or was cancelled: what it waited for may come yet.
  let hasGivenUp = Atomic<Bool>(false)
  /// Requests have failed for good.
  let hasFailed = Atomic<Bool>(false)
  private let codecs = Lock<[Codec]>([])

  func add(_ handle: any CodecHandle) {
    codecs.withLock { codecs in
      codecs.removeAll { $0.handle == nil }
      codecs.append(Codec(handle: handle))
    }
  }

  /// The next loan begins: what was given up before is no concern of it.
  func begin() {
    hasGivenUp.store(false, ordering: .relaxed)
    if hasBegun.exchange(true, ordering: .relaxed) { return }
    // A codec that was left for another before counts as gone; after that, somebody else may still hold it.
    codecs.withLock { $0.removeAll { $0.handle?.isSwitched ?? true } }
  }

  /// Whether the next one finds nothing of those before. For the holder of the reading's claim.
  var isSettled: Bool {
    if hasGivenUp.load(ordering: .relaxed) || hasFailed.load(ordering: .relaxed) { return false }
    return codecs.withLock { $0 }.allSatisfy { $0.handle?.isAtRest ?? true }
  }
}

extension ConnectionCore {
  /// A read or request was given up, or, if `failed`, no request can be made any more: that concerns whoever is lent the
  /// connection next.
  @inline(never)
  func noteUnsettled(failed: Bool = false) {
    guard let loans = state.withLock({ $0.settings.loans }) else { return }
    if failed {
      loans.hasFailed.store(true, ordering: .relaxed)
    } else {
      loans.hasGivenUp.store(true, ordering: .relaxed)
    }
  }
}
