import CLinux
import Synchronization

/// Several event loops that share the work of a process, one per core by default.
public final class EventLoopGroup: Sendable {
  /// The loops, in a fixed order; at least one.
  public let loops: [EventLoop]
  private let turn = Atomic<Int>(0)

  /// Starts loops.
  ///
  /// - Parameters:
  ///   - count: how many; by default as many as the process may use cores.
  ///   - clock: what their deadlines are measured by.
  /// - Throws: `SocketError.invalid` for a count below 1, `SocketError.failed` when the system refuses.
  public init(
    count: Int = EventLoopGroup.availableCores, clock: any LoopClock = MonotonicClock.shared
  ) throws(SocketError) {
    guard count > 0 else { throw .invalid("a group needs at least 1 event loop, not \(count)") }
    var loops: [EventLoop] = []
    for _ in 0..<count { loops.append(try EventLoop(clock: clock)) }
    self.loops = loops
  }

  /// A group of loops that exist already; at least one.
  ///
  /// - Throws: `SocketError.invalid` when there is none.
  public init(_ loops: [EventLoop]) throws(SocketError) {
    guard !loops.isEmpty else { throw .invalid("a group needs at least 1 event loop, not 0") }
    self.loops = loops
  }

  /// The loop whose turn it is: each in order, round and round.
  public func next() -> EventLoop {
    let ticket = turn.wrappingAdd(1, ordering: .relaxed).oldValue
    return loops[Int(UInt(bitPattern: ticket) % UInt(loops.count))]
  }

  /// Stops all the loops, as `EventLoop.shutdown()` does.
  public func shutdown() async {
    for loop in loops { await loop.shutdown() }
  }

  private static let sharedResult = Result { () throws(SocketError) in try EventLoopGroup() }

  /// The group that everything uses unless told otherwise; it starts at first use and lives as long as the process. Do not
  /// stop it: whatever uses it afterwards, signals too, is told `SocketError.loopStopped`.
  public static var shared: EventLoopGroup {
    get throws(SocketError) { try sharedResult.get() }
  }

  /// How many cores the process may run on (sched_getaffinity(2)), at least 1.
  public static var availableCores: Int {
    max(1, Int(clinux_available_cores()))
  }
}
