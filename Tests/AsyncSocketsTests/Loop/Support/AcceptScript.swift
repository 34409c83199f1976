@testable import AsyncSockets

/// The real kernel, but for `accept`, which first answers as a test says.
final class AcceptScript: Kernel {
  private struct State {
    var errors: [Int32] = []
    /// Answers every call until it is taken back.
    var lasting: Int32?
    var calls = 0
  }

  private let state = Lock(State())

  init(_ errors: [Int32] = []) { state.withLock { $0.errors = errors } }

  /// How often `accept` was called.
  var calls: Int { state.withLock { $0.calls } }

  /// Makes every call fail from now on; `nil` ends that.
  func fail(with error: Int32?) { state.withLock { $0.lasting = error } }

  func accept(_ descriptor: Int32, peer: inout SocketAddress?) -> Int {
    let error = state.withLock { state -> Int32? in
      state.calls += 1
      return state.lasting ?? (state.errors.isEmpty ? nil : state.errors.removeFirst())
    }
    if let error { return -Int(error) }
    return LinuxKernel.shared.accept(descriptor, peer: &peer)
  }
}
