import AsyncSockets
import Peers
import TestSupport

/// The system's clock, at which a test can hold a loop: in the moment after it has asked the kernel for events and
/// before it takes what others ask of it.
final class HeldClock: LoopClock {
  private struct Hold {
    var loop: EventLoop?
    var isHeld = false
  }

  private let hold = Shared(Hold())
  private let gate: BlockingPeer
  private let key: BlockingPeer

  init() throws {
    let (near, far) = try socketPair()
    gate = BlockingPeer(adopting: near)
    key = BlockingPeer(adopting: far)
  }

  /// Whether the loop stands still.
  var isHeld: Bool { hold.value.isHeld }

  /// Stops `loop` when it next reads the time on its own thread.
  func holdNext(_ loop: EventLoop) { hold.change { $0.loop = loop } }

  /// Lets it go on.
  func release() throws { try key.send([0]) }

  var now: EventLoop.Instant {
    let mustWait = hold.change { hold in
      guard let loop = hold.loop, loop.isCurrent else { return false }
      hold = Hold(loop: nil, isHeld: true)
      return true
    }
    if mustWait { _ = try? gate.receive(exactly: 1) }
    return MonotonicClock.shared.now
  }

  func nanoseconds(until due: EventLoop.Instant) -> Int64? { MonotonicClock.shared.nanoseconds(until: due) }

  func attach(_ wake: @escaping @Sendable () -> Void) {}
}
