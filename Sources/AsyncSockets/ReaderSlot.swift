import Framing
import Synchronization

/// What belongs to the one task that reads: it is taken at the operation's beginning and given back at its end.
///
/// The claim is why a second reader is told `.busy`, and why the buffer inside needs no lock.
@safe
@usableFromInline
struct ReaderSlot: ~Copyable, @unchecked Sendable {
  /// What the reader knows of the message that it is about to take.
  @usableFromInline
  enum Message: UInt8 {
    /// It has not begun, or there are no messages.
    case none
    case begun
    /// And a limit counts for it.
    case timed
  }

  @usableFromInline
  struct Contents {
    /// Bytes that have arrived and that no operation has taken yet.
    @usableFromInline var buffer = ReceiveBuffer()
    @usableFromInline var budget = ReadBudget()
    /// The peer's stream has ended.
    @usableFromInline var hasEnded = false
    /// The server drains, and the frame that had begun before has been delivered.
    @usableFromInline var isDrained = false
    @usableFromInline var message = Message.none
    /// The last read took all that was there: the next asks for an event at once.
    @usableFromInline var isDry = false
    /// What the kernel has told of, and the connection's state does not know yet: the next read enters it.
    var news: TransportReadiness = []
    /// Counts the waits, so that a late wake-up can't be taken for that of the next.
    var waits: UInt32 = 0
  }

  @usableFromInline let claimed = Atomic<Bool>(false)
  /// Others have added to the output since the driver that reads here has last looked how full it is.
  let othersHaveSent = Atomic<Bool>(false)
  @usableFromInline let storage: UnsafeMutablePointer<Contents>

  init() {
    unsafe storage = .allocate(capacity: 1)
    unsafe storage.initialize(to: Contents())
  }

  @usableFromInline
  deinit {
    unsafe storage.deinitialize(count: 1)
    unsafe storage.deallocate()
  }

  @inline(__always)
  func claim(for operation: StaticString) throws(SocketError) {
    if claimed.exchange(true, ordering: .acquiring) { throw .busy(operation: "\(operation)") }
  }

  @inlinable @inline(__always)
  func release() { claimed.store(false, ordering: .releasing) }

  /// For the holder of the claim alone.
  @inlinable @inline(__always)
  var contents: Contents {
    unsafeAddress { unsafe UnsafePointer(storage) }
    nonmutating unsafeMutableAddress { unsafe storage }
  }
}
