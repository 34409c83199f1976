/// How packets travel from one host to another.
public struct LinkConditions: Hashable, Sendable {
  /// How long each packet takes, 365 days at most.
  public var latency: Duration
  /// At most how much longer a packet may take, at random, 365 days at most. Packets of one connection stay in
  /// order all the same.
  public var jitter: Duration
  /// Bytes a second; `nil` for no limit.
  public var bandwidth: Int?
  /// The share of packets that are lost, 0 to 1. TCP sends them again, after 200 ms, 600 ms, 1.4 s …
  public var loss: Double

  /// Conditions; by default those of a good network: half a millisecond, a tenth more or less, nothing lost.
  public init(
    latency: Duration = .microseconds(500), jitter: Duration = .microseconds(100), bandwidth: Int? = nil,
    loss: Double = 0
  ) {
    self.latency = latency
    self.jitter = jitter
    self.bandwidth = bandwidth
    self.loss = loss
  }

  /// Within one host.
  static let loopback = LinkConditions(latency: .microseconds(10), jitter: .microseconds(5))

  private static let longest = Duration.seconds(365 * 86_400)

  /// More than a number can be is the largest.
  private static func seconds(_ duration: Duration) -> Int64 {
    duration < .seconds(Int64.max) ? duration.components.seconds : .max
  }

  func validate() throws(SimulationError) {
    for (name, duration) in [("latency", latency), ("jitter", jitter)] {
      if duration < .zero { throw .invalid("a \(name) must not be negative, but is \(duration)") }
      if duration > Self.longest {
        throw .invalid("a \(name) must be at most 365 days, but is \(Self.seconds(duration)) seconds")
      }
    }
    if let bandwidth, bandwidth < 1 {
      throw .invalid("a bandwidth must be at least 1 byte a second, but is \(bandwidth)")
    }
    if !(0..<1).contains(loss) {
      throw .invalid("a loss must be at least 0 and less than 1, but is \(loss)")
    }
  }
}

extension LinkConditions: CustomStringConvertible {
  /// In words: `a latency of 40 ms, a jitter of 20 ms, a loss of 2.0 %`.
  public var description: String {
    var parts = ["a latency of \(latency.briefly)", "a jitter of \(jitter.briefly)"]
    if let bandwidth { parts.append("a bandwidth of \(bandwidth) bytes a second") }
    if loss > 0 { parts.append("a loss of \((loss * 1000).rounded() / 10) %") }
    return parts.joined(separator: ", ")
  }
}
