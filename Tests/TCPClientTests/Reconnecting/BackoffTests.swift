import AsyncSockets
import TestSupport
import Testing

@testable import TCPClient

@Suite("The pauses between attempts")
struct BackoffTests {
  /// Draws the largest number of every range.
  private struct Largest: RandomNumberGenerator {
    mutating func next() -> UInt64 { .max }
  }

  private func at(_ milliseconds: Int64) -> EventLoop.Instant {
    EventLoop.Instant(nanoseconds: milliseconds * 1_000_000)
  }

  private func longestPauses(_ policy: ReconnectPolicy, count: Int) throws -> [Duration?] {
    var generator = Largest()
    var backoff = try Backoff(policy)
    return (0..<count).map { _ in
      backoff.attemptBegins(at: at(0))
      return backoff.pause(at: at(0), using: &generator)
    }
  }

  @Test("are at most 2 s at first, then twice as long each time, and never longer than 30 s")
  func standard() throws {
    let seconds = [2, 4, 8, 16, 30, 30, 30].map { Duration.seconds($0) }
    #expect(try longestPauses(ReconnectPolicy(), count: 7) == seconds)
  }

  @Test("are drawn evenly from zero to the longest with full jitter, from half of it with equal jitter")
  func jitter() throws {
    var generator = SeededGenerator(seed: 7)
    func tenths(_ jitter: ReconnectPolicy.Jitter) throws -> [Int] {
      var policy = ReconnectPolicy()
      policy.jitter = jitter
      var tenths = [Int](repeating: 0, count: 11)
      for _ in 0..<1000 {
        var backoff = try Backoff(policy)
        backoff.attemptBegins(at: at(0))
        let pause = backoff.pause(at: at(0), using: &generator) ?? .seconds(60)
        tenths[min(10, Int(pause / .seconds(2) * 10))] += 1
      }
      return tenths
    }
    let full = try tenths(.full)
    #expect(full[..<10].allSatisfy { (60...140).contains($0) } && full[10] == 0)
    let equal = try tenths(.equal)
    #expect(equal[..<5].allSatisfy { $0 == 0 } && equal[5..<10].allSatisfy { (140...260).contains($0) })
    #expect(try tenths(.none)[10] == 1000)
  }

  @Test("follow from no policy that cannot work, which is refused in words")
  func invalidPolicy() {
    let changes: [(inout ReconnectPolicy) -> Void] = [
      { $0.initialDelay = .seconds(-1) }, { $0.multiplier = .nan }, { $0.maximumDelay = .seconds(1) },
      { $0.maximumAttempts = 0 }, { $0.maximumTime = .zero },
    ]
    for change in changes {
      var policy = ReconnectPolicy()
      change(&policy)
      #expect(throws: SocketError.self) { try Backoff(policy) }
    }
  }

  @Test("are the same every time when the policy says so, and end when it does")
  func fixed() throws {
    let pause = Duration.milliseconds(200)
    #expect(try longestPauses(.fixed(pause), count: 50) == Array(repeating: pause, count: 50))
    #expect(try longestPauses(.fixed(pause, attempts: 3), count: 4) == [pause, pause, nil, nil])
    #expect(try longestPauses(.never, count: 1) == [nil])
  }

  @Test("grow by any multiplier, without overflow however long they may become")
  func growth() throws {
    var policy = ReconnectPolicy()
    policy.initialDelay = .nanoseconds(1)
    policy.multiplier = 1e300
    policy.maximumDelay = .seconds(Int64.max / 4)
    policy.jitter = .none
    #expect(
      try longestPauses(policy, count: 3) == [.nanoseconds(1), policy.maximumDelay, policy.maximumDelay])
    policy.initialDelay = policy.maximumDelay
    policy.multiplier = 2
    for jitter in ReconnectPolicy.Jitter.allCases {
      policy.jitter = jitter
      #expect(try longestPauses(policy, count: 3).allSatisfy { $0 != nil })
    }
    policy.initialDelay = .zero
    policy.maximumDelay = .seconds(1)
    #expect(try longestPauses(policy, count: 3) == [.zero, .zero, .zero])
  }

  @Test("of a row that took too long are none: the limit counts from its first attempt")
  func totalTime() throws {
    var policy = ReconnectPolicy.fixed(.seconds(1))
    policy.maximumTime = .seconds(10)
    var generator = Largest()
    var backoff = try Backoff(policy)
    backoff.attemptBegins(at: at(5_000))
    #expect(backoff.pause(at: at(6_000), using: &generator) == .seconds(1))
    backoff.attemptBegins(at: at(7_000))
    #expect(backoff.pause(at: at(14_000), using: &generator) == .seconds(1))
    #expect(backoff.pause(at: at(14_001), using: &generator) == nil)
    backoff.reset()
    #expect(backoff.pause(at: at(20_000), using: &generator) == .seconds(1))
    #expect(backoff.pause(at: at(29_000), using: &generator) == .seconds(1))
    #expect(backoff.pause(at: at(29_001), using: &generator) == nil)
  }

  @Test("after a connection that proved healthy begin anew, and its own attempt counts")
  func health() throws {
    var generator = Largest()
    var backoff = try Backoff(.fixed(.seconds(1), attempts: 3))
    for _ in 0..<5 {
      backoff.attemptBegins(at: at(0))
      #expect(backoff.pause(at: at(0), using: &generator) == .seconds(1))
      backoff.attemptBegins(at: at(0))
      backoff.reset()
      #expect(backoff.attempts == 1)
      #expect(backoff.pause(at: at(0), using: &generator) == .seconds(1))
    }
    backoff.attemptBegins(at: at(0))
    #expect(backoff.pause(at: at(0), using: &generator) == .seconds(1))
    backoff.attemptBegins(at: at(0))
    #expect(backoff.pause(at: at(0), using: &generator) == nil)

    var never = try Backoff(.never)
    never.attemptBegins(at: at(0))
    never.reset()
    #expect(never.pause(at: at(0), using: &generator) == nil)
  }

  /// Every order of eight events against what the policy says in words.
  @Test("follow from the attempts since the last proof of health alone, in every order of eight events")
  func exhaustive() throws {
    enum Event: CaseIterable { case attemptFails, proves, secondPasses, minutePasses }
    var policy = ReconnectPolicy()
    policy.jitter = .none
    policy.maximumAttempts = 4
    policy.maximumTime = .seconds(100)
    var generator = Largest()
    var wrong = 0
    for number in 0..<(1 << 16) {
      var backoff = try Backoff(policy)
      var (time, attempts, failures) = (0, 0, 0)
      var began: Int?
      for position in 0..<8 where attempts < 4 {
        switch Event.allCases[number >> (2 * position) & 3] {
        case .secondPasses: time += 1
        case .minutePasses: time += 60
        case .proves:
          backoff.reset()
          (attempts, failures, began) = (min(attempts, 1), 0, nil)
        case .attemptFails:
          attempts += 1
          failures += 1
          let rowBegan = began ?? time
          began = rowBegan
          backoff.attemptBegins(at: at(Int64(time) * 1000))
          let pause = backoff.pause(at: at(Int64(time) * 1000), using: &generator)
          var expected: Duration? = .seconds(min(30, 1 << failures))
          if attempts >= 4 { expected = nil }
          if let delay = expected, .seconds(time - rowBegan) + delay > .seconds(100) { expected = nil }
          if pause != expected { wrong += 1 }
          // Who gives up does not go on.
          if expected == nil { attempts = 4 }
        }
      }
    }
    #expect(wrong == 0)
  }

  @Test("of a policy that cannot work are refused in words")
  func validation() {
    func problem(_ change: (inout ReconnectPolicy) -> Void) -> String {
      var policy = ReconnectPolicy()
      change(&policy)
      do {
        try policy.validate()
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(problem { _ in } == "")
    #expect(problem { $0.initialDelay = .seconds(-1) }.contains("initialDelay must not be negative"))
    #expect(problem { $0.multiplier = 0.5 }.contains("multiplier must be a number of at least 1, not 0.5"))
    #expect(problem { $0.multiplier = .nan }.contains("multiplier"))
    #expect(problem { $0.multiplier = .infinity }.contains("multiplier"))
    #expect(problem { $0.maximumDelay = .seconds(1) }.contains("is shorter than initialDelay"))
    #expect(problem { $0.maximumAttempts = 0 }.contains("maximumAttempts must be at least 1, not 0"))
    #expect(problem { $0.maximumTime = .zero }.contains("maximumTime must be positive"))
  }
}
