import AsyncSockets
import TestHarness

/// A transport with a bug of its own.
final class PlantedTransport: Transport {
  private struct State {
    var newsOfReads = 0
    var bytesRead = 0
    var isBeingListenedTo = false
  }

  private let lower: any Transport
  private let bug: StreamCheck
  private let state = Lock(State())

  init(over lower: any Transport, bug: StreamCheck) {
    self.lower = lower
    self.bug = bug
  }

  func read(into buffer: inout MutableRawSpan) -> TransportResult {
    let result = lower.read(into: &buffer)
    guard bug == .wholeStream, case .bytes(let count) = result, count > 0 else { return result }
    let isSpoilt = state.withLock { state in
      let before = state.bytesRead
      state.bytesRead += count
      return before < 200_000 && state.bytesRead >= 200_000
    }
    if isSpoilt { buffer.storeBytes(of: ~buffer.byte(at: 0), toByteOffset: 0, as: UInt8.self) }
    return result
  }

  func write(_ bytes: RawSpan) -> TransportResult { lower.write(bytes) }
  func shutdownWrite() -> TransportResult { lower.shutdownWrite() }
  func close(abortively: Bool) { lower.close(abortively: abortively) }
  var unreadBytes: Int { bug == .drain ? 0 : lower.unreadBytes }

  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    let isFirst = state.withLock { state in
      defer { state.isBeingListenedTo = true }
      return !state.isBeingListenedTo
    }
    if bug == .upgrade, !isFirst { return lower.notifyReadiness { _ in } }
    guard bug == .conversation else { return lower.notifyReadiness(notify) }
    lower.notifyReadiness { [weak self] readiness in
      let number = self?.state.withLock { state in
        state.newsOfReads += readiness.contains(.read) ? 1 : 0
        return state.newsOfReads
      }
      if number != 40 { notify(readiness) }
    }
  }
}

extension MutableRawSpan {
  fileprivate func byte(at offset: Int) -> UInt8 {
    unsafe withUnsafeBytes { unsafe $0[offset] }
  }
}
