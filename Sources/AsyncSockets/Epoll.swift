import CLinux
import Glibc

/// One epoll instance and the eventfd that interrupts its wait.
///
/// Everything is registered once, edge-triggered, for both directions. The eventfd too: each write to it is an
/// edge of its own, so nobody has to read it back.
@safe
package final class Epoll: Poller {
  /// What happened to a descriptor: the bits of epoll_ctl(2).
  package struct Events: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Events(rawValue: UInt32(CLINUX_EPOLLIN))
    package static let writable = Events(rawValue: UInt32(CLINUX_EPOLLOUT))
    package static let peerEnded = Events(rawValue: UInt32(CLINUX_EPOLLRDHUP))
    package static let hangUp = Events(rawValue: UInt32(CLINUX_EPOLLHUP))
    package static let failed = Events(rawValue: UInt32(CLINUX_EPOLLERR))
    package static let urgent = Events(rawValue: UInt32(CLINUX_EPOLLPRI))
    package static let edgeTriggered = Events(rawValue: CLINUX_EPOLLET)
  }

  private static let batchSize = 256
  static let wakeKey = UInt64.max

  private let epoll: Descriptor
  private let wake: Descriptor
  private let buffer = unsafe LoopConfined([epoll_event](repeating: epoll_event(), count: batchSize))

  package init() throws(SocketError) {
    let epoll = Descriptor(owning: epoll_create1(CLINUX_EPOLL_CLOEXEC), of: nil)
    if epoll.number < 0 { throw .failed(Errno(errno), call: "epoll_create1", address: nil) }
    let wake = try Self.makeEvent()
    let events: Events = [.readable, .edgeTriggered]
    if clinux_epoll_add(epoll.number, wake.number, events.rawValue, Self.wakeKey) < 0 {
      throw .failed(Errno(errno), call: "epoll_ctl", address: nil)
    }
    self.epoll = epoll
    self.wake = wake
  }

  /// A new eventfd.
  static func makeEvent() throws(SocketError) -> Descriptor {
    let event = Descriptor(owning: eventfd(0, CLINUX_EVENTFD_FLAGS), of: nil)
    if event.number < 0 { throw .failed(Errno(errno), call: "eventfd", address: nil) }
    return event
  }

  package func add(_ descriptor: Int32, for events: Events, key: UInt64) -> Errno? {
    let result = clinux_epoll_add(epoll.number, descriptor, events.rawValue, key)
    return result == 0 ? nil : Errno(errno)
  }

  package func interrupt() {
    var one: UInt64 = 1
    _ = unsafe write(wake.number, &one, MemoryLayout<UInt64>.size)
  }

  /// A signal ends the wait early.
  package func wait(
    nanoseconds: Int64, woken: () -> Void, approaching: (UInt64, Proximity) -> Void,
    ready: (UInt64, Events) -> Void
  ) {
    let timeout = Self.milliseconds(nanoseconds)
    unsafe buffer.value.withUnsafeMutableBufferPointer { buffer in
      let count = unsafe epoll_wait(epoll.number, buffer.baseAddress, Int32(buffer.count), timeout)
      woken()
      var index = 0
      while index < Int(count) {
        if index + 4 < Int(count) { approaching(unsafe buffer[index + 4].data.u64, .far) }
        if index + 2 < Int(count) { approaching(unsafe buffer[index + 2].data.u64, .near) }
        let event = unsafe buffer[index]
        let key = unsafe event.data.u64
        if key != Self.wakeKey { unsafe ready(key, Events(rawValue: event.events)) }
        index += 1
      }
    }
  }

  /// Rounded up: a deadline that fires early would be a lie.
  private static func milliseconds(_ nanoseconds: Int64) -> Int32 {
    if nanoseconds < 0 { return -1 }
    let (milliseconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return Int32(clamping: rest > 0 ? milliseconds + 1 : milliseconds)
  }
}
