import CLinux
import Glibc

/// One epoll instance and the eventfd that interrupts its wait.
///
/// Everything is registered once, edge-triggered, for both directions. The eventfd too: each write to it is an
/// edge of its own, so nobody has to read it back.
struct Epoll: ~Copyable, Sendable {
  /// What happened to a descriptor: the bits of epoll_ctl(2).
  struct Events: OptionSet, Sendable {
    let rawValue: UInt32
    static let readable = Events(rawValue: UInt32(CLINUX_EPOLLIN))
    static let writable = Events(rawValue: UInt32(CLINUX_EPOLLOUT))
    static let peerEnded = Events(rawValue: UInt32(CLINUX_EPOLLRDHUP))
    static let hangUp = Events(rawValue: UInt32(CLINUX_EPOLLHUP))
    static let failed = Events(rawValue: UInt32(CLINUX_EPOLLERR))
    static let urgent = Events(rawValue: UInt32(CLINUX_EPOLLPRI))
    static let edgeTriggered = Events(rawValue: CLINUX_EPOLLET)
  }

  static let batchSize = 256
  static let wakeKey = UInt64.max

  private let epoll: Descriptor
  private let wake: Descriptor

  init() throws(SocketError) {
    let epoll = Descriptor(owning: epoll_create1(CLINUX_EPOLL_CLOEXEC))
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
    let event = Descriptor(owning: eventfd(0, CLINUX_EVENTFD_FLAGS))
    if event.number < 0 { throw .failed(Errno(errno), call: "eventfd", address: nil) }
    return event
  }

  /// Registers a descriptor, or gives it a new key when it changes hands (what is ready already is reported again);
  /// `nil` on success.
  func add(_ descriptor: Int32, for events: Events, key: UInt64) -> Errno? {
    let result = clinux_epoll_add(epoll.number, descriptor, events.rawValue, key)
    return result == 0 ? nil : Errno(errno)
  }

  /// Interrupts the wait under way, or the next one.
  func interrupt() {
    var one: UInt64 = 1
    _ = unsafe write(wake.number, &one, MemoryLayout<UInt64>.size)
  }

  /// Waits at most `milliseconds` (-1: without end) and calls `body` for each event. A signal ends the wait early.
  func wait(
    milliseconds: Int32, buffer: UnsafeMutablePointer<epoll_event>, _ body: (UInt64, Events) -> Void,
    woken: () -> Void
  ) {
    let count = unsafe epoll_wait(epoll.number, buffer, Int32(Self.batchSize), milliseconds)
    woken()
    var index = 0
    while index < Int(count) {
      let event = unsafe buffer[index]
      unsafe body(event.data.u64, Events(rawValue: event.events))
      index += 1
    }
  }
}
