/// Where an event loop waits for its descriptors to become ready: epoll(7), or a network in memory.
///
/// Descriptors are registered once, edge-triggered, for both directions.
package protocol Poller: AnyObject, Sendable {
  /// Registers a descriptor, or gives it a new key when it changes hands (what is ready already is reported again);
  /// `nil` on success.
  func add(_ descriptor: Int32, for events: Epoll.Events, key: UInt64) -> Errno?

  /// Interrupts the wait under way, or the next one. The only call that may come from another thread.
  func interrupt()

  /// Waits at most `nanoseconds` (negative: without end), calls `woken`, and then `ready` for each event. It may
  /// return early, and with nothing. `approaching` may be called with the keys of events that come later.
  func wait(
    nanoseconds: Int64, woken: () -> Void, approaching: (UInt64, Proximity) -> Void,
    ready: (UInt64, Epoll.Events) -> Void)
}
