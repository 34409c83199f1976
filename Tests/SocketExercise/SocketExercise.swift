import Glibc

/// A process of its own for tests that watch a whole process, or do something to it: trace its calls, preload a
/// library into it, stop it. Says what went wrong and exits with 1, or exits with 0.
@main
struct SocketExercise {
  static func main() async {
    let arguments = CommandLine.arguments.dropFirst()
    let numbers = arguments.dropFirst().compactMap { Int($0) }
    do {
      switch (arguments.first, numbers.count) {
      case ("endings", 1): try await Endings.run(count: numbers[0])
      case ("senders", 2): try await Senders.run(senders: numbers[0], messages: numbers[1])
      case ("deadlines", 1): try await Deadlines.run(count: numbers[0])
      case ("simulated", 1): try await Simulated.run(seed: UInt64(numbers[0]))
      case ("stranded", 0): try await Stranded.run()
      case ("activated", 0): try await Activated.run()
      case ("crowded", 0): try await Crowded.run()
      default:
        throw Failure(
          """
          usage: endings COUNT | senders SENDERS MESSAGES | deadlines COUNT | simulated SEED | stranded
          | activated | crowded
          """)
      }
    } catch {
      say("failed: \(error)")
      exit(1)
    }
    exit(0)
  }

  /// A line on standard output, at once.
  static func say(_ line: String) {
    print(line)
    fflush(nil)
  }
}
