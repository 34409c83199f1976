import CLinux

/// How far off an event is that is going to be handled in this turn.
package enum Proximity {
  /// Several others come before.
  case far
  /// Not so many.
  case near
}

extension RegistrationTable {
  /// Has the processor fetch what an event is going to touch while those before it are handled: among thousands of
  /// connections, nothing of theirs is left in its caches. In two steps, since one object tells where the next lies.
  @inline(__always)
  func prefetch(forKey key: UInt64, _ proximity: Proximity) {
    guard let driver = unsafe driver(forKey: key) else {
      if case .near = proximity, let target = target(forKey: key) { fetch(target) }
      return
    }
    switch proximity {
    case .far: unsafe clinux_prefetch(driver.toOpaque(), 256)
    case .near: unsafe driver._withUnsafeGuaranteedRef { fetch($0.core) }
    }
  }

  @inline(__always)
  private func fetch(_ target: AnyObject) {
    unsafe clinux_prefetch(Unmanaged.passUnretained(target).toOpaque(), 320)
  }
}
