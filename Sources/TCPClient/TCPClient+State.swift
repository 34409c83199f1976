extension TCPClient {
  /// One attempt to connect, and the connection that came of it.
  public struct Attempt: Hashable, Sendable {
    /// Counts the attempts of one `run`, from 1.
    public let number: Int
    /// To whom.
    public let target: Target
  }

  /// What a client is doing.
  public enum State: Sendable {
    /// Nobody has called `run` yet.
    case idle
    /// It looks up, connects, prepares.
    case connecting(Attempt)
    /// The connection stands.
    case connected(Attempt)
    /// The connection has proved healthy (`Configuration.health`).
    case healthy(Attempt)
    /// It waits until a point on its event loop's clock, after an attempt that failed or a connection that ended with an
    /// error, if it was one.
    case backingOff(until: EventLoop.Instant, after: (any Error)?)
    /// `run` is over.
    case ended(Ending)
  }

  /// Why a `run` was over.
  public enum Ending: Sendable {
    /// The closure said so.
    case finished
    /// Its task was cancelled.
    case cancelled
    /// An error that trying again would not have helped, which `run` throws.
    case failed(any Error)
    /// Its `ReconnectPolicy` allows no further attempt; the error is that of the last, which `run` throws.
    case gaveUp(attempts: Int, last: (any Error)?)
  }
}

extension TCPClient.Attempt: CustomStringConvertible {
  /// `attempt 3, feed.example:7000`.
  public var description: String { "attempt \(number), \(target)" }
}

extension TCPClient.State: CustomStringConvertible {
  /// A few words.
  public var description: String {
    switch self {
    case .idle: "idle"
    case .connecting(let attempt): "connecting (\(attempt))"
    case .connected(let attempt): "connected (\(attempt))"
    case .healthy(let attempt): "healthy (\(attempt))"
    case .backingOff(_, nil): "backing off"
    case .backingOff(_, let error?): "backing off: \(error)"
    case .ended(let ending): "ended: \(ending)"
    }
  }
}

extension TCPClient.Ending: CustomStringConvertible {
  /// A few words.
  public var description: String {
    switch self {
    case .finished: "finished"
    case .cancelled: "cancelled"
    case .failed(let error): "failed: \(error)"
    case .gaveUp(let attempts, nil): "gave up after \(attempts.of("attempt"))"
    case .gaveUp(let attempts, let error?): "gave up after \(attempts.of("attempt")): \(error)"
    }
  }
}
