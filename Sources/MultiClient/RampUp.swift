import AsyncSockets

/// How fast connections are begun.
///
/// Who falls behind, since the window was full or the machine busy, makes up for at most a tenth of a second.
public struct RampUp: Hashable, Sendable {
  enum Curve: Hashable {
    case immediately
    case constant(Double)
    case linear(from: Double, to: Double, seconds: Double)
  }

  let curve: Curve

  /// As fast as the other limits allow: the default.
  public static let immediately = RampUp(curve: .immediately)

  /// So many a second.
  public static func constant(perSecond rate: Double) -> RampUp { RampUp(curve: .constant(rate)) }

  /// From one rate to another in so long a time, and on at the last: more and more, or less and less. In connections a
  /// second.
  public static func linear(from first: Double, to last: Double, over duration: Duration) -> RampUp {
    RampUp(curve: .linear(from: first, to: last, seconds: duration / .seconds(1)))
  }

  /// - Throws: `SocketError.invalid`, which names the value and says what to change.
  func validate() throws(SocketError) {
    func check(_ rate: Double, from least: Double, _ name: String) throws(SocketError) {
      guard rate >= least, rate <= 1_000_000 else {
        throw .invalid("rampUp's \(name) must be from \(least) to 1000000 connections a second, not \(rate)")
      }
    }
    switch curve {
    case .immediately: break
    case .constant(let rate): try check(rate, from: 0.001, "rate")
    case .linear(let first, let last, let seconds):
      try check(first, from: 0, "first rate")
      try check(last, from: 0.001, "last rate")
      guard seconds > 0, seconds <= 1e9 else {
        throw .invalid("rampUp's duration must be positive, and at most 1000000000 s, not \(seconds) s")
      }
    }
  }
}

extension RampUp.Curve {
  /// How many connections come to be due in the first so many seconds; `nil` for all of them.
  func count(after time: Double) -> Double? {
    switch self {
    case .immediately: nil
    case .constant(let rate): rate * time
    case .linear(let first, let last, let seconds):
      if time < seconds {
        (first + (last - first) * time / seconds / 2) * time
      } else {
        (first + last) / 2 * seconds + last * (time - seconds)
      }
    }
  }

  /// After how many seconds so many are due: the inverse.
  func time(of count: Double) -> Double {
    switch self {
    case .immediately: return 0
    case .constant(let rate): return count / rate
    case .linear(let first, let last, let seconds):
      if count <= 0 { return 0 }
      let ramp = (first + last) / 2 * seconds
      if count >= ramp { return seconds + (count - ramp) / last }
      let slope = (last - first) / seconds
      // The solution of the quadratic that subtracts nothing that is nearly equal.
      return 2 * count / (first + max(0, first * first + 2 * slope * count).squareRoot())
    }
  }

  /// How many are due in a tenth of a second from then on.
  func burst(after time: Double) -> Double {
    guard let now = count(after: time), let then = count(after: time + 0.1) else { return .infinity }
    return max(1, then - now)
  }
}
