import AsyncSockets
import Glibc
import TestHarness

/// Simulations as a process of its own, for what is to be the same in every process, and for figures (.ci/explore).
@main
struct ExploreExercise {
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let numbers = arguments.dropFirst().compactMap { UInt64($0) }
    do {
      switch (arguments.first, numbers.count) {
      case ("storm", 2): try await storm(seed: numbers[0], times: Int(numbers[1]))
      case ("doubles", 1): try await doubles(seeds: numbers[0])
      case ("replay", 0) where arguments.count == 2: try await replay(arguments[1])
      default:
        say("usage: storm SEED TIMES | doubles SEEDS | replay TOKEN")
        exit(2)
      }
    } catch {
      say("failed: \(error)")
      exit(1)
    }
    exit(0)
  }

  /// The same hour so many times; prints its fingerprint and how long each took on the average.
  private static func storm(seed: UInt64, times: Int) async throws {
    let begin = MonotonicClock.shared.now
    var first: Storm.Result?
    for _ in 0..<times {
      let result = try await Storm.run(seed: seed)
      guard first == nil || first == result else {
        throw Failure("an hour was not the same again: \(result), and before \(first as Any)")
      }
      first = result
    }
    let time = begin.duration(to: MonotonicClock.shared.now)
    if let first { say("\(first)") }
    say("\(times) times, \((time / max(1, times)).briefly) each")
  }

  /// Finds the planted mistake, then tries so many seeds without it.
  private static func doubles(seeds: UInt64) async throws {
    let begin = MonotonicClock.shared.now
    do {
      try await explore(seeds: 0..<seeds, faults: DoubleReply.faults) { world in
        try await DoubleReply.system(world, repeatsItself: true)
      }
      throw Failure("the planted mistake was not found")
    } catch let failure as ExplorationFailure {
      let time = begin.duration(to: MonotonicClock.shared.now)
      say("found in \(time.briefly): \(failure.failure.underlying)")
      say("token: \(failure.token)")
    }
    let start = MonotonicClock.shared.now
    let report = try await explore(seeds: 0..<seeds, faults: DoubleReply.faults) { world in
      try await DoubleReply.system(world, repeatsItself: false)
    }
    say("\(report)")
    say("\(start.duration(to: MonotonicClock.shared.now).briefly) of real time")
  }

  private static func replay(_ token: String) async throws {
    do {
      try await explore(replaying: token) { world in
        try await DoubleReply.system(world, repeatsItself: true)
      }
      throw Failure("it did not fail")
    } catch let failure as ExplorationFailure {
      say("\(failure)")
    }
  }

  private static func say(_ line: String) {
    print(line)
    fflush(nil)
  }
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
