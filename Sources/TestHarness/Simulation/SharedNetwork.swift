import AsyncSockets

/// The simulated network for all who touch it, on whatever thread.
final class SharedNetwork: Sendable {
  private let state: Lock<SimulatedNetwork>

  init(_ network: sending SimulatedNetwork) { state = Lock(network) }

  func withLock<Result, Failure>(
    _ body: (inout SimulatedNetwork) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try state.withLock(body)
  }
}
