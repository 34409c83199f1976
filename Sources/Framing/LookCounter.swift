#if DEBUG
  import Synchronization

  /// Counts the bytes that a codec looks at, so that `verifyCodec` can tell whether it takes linear time.
  ///
  /// Release builds have none, and pay nothing.
  @usableFromInline
  package final class LookCounter: Sendable {
    private let bytes = Atomic<Int>(0)

    package init() {}

    package var count: Int { bytes.load(ordering: .relaxed) }

    @usableFromInline
    func add(_ n: Int) {
      bytes.add(Swift.max(0, n), ordering: .relaxed)
    }
  }
#endif
