import MultiClient
import Synchronization

/// Shows progress on standard error: one line that is overwritten in a terminal, a plain one now and then elsewhere.
final class Display: Sendable {
  private struct State {
    var isShown = false
    var nextPlainLine = Duration.seconds(5)
    var said: Set<String> = []
  }

  private let header: String
  private let isTerminal = Terminal.error.canOverwrite
  private let state = Mutex(State())

  /// How often it wants to show something.
  var interval: Duration { .milliseconds(100) }

  init(_ options: Options, _ target: Target) {
    header = Summary.heading(options, target)
  }

  func begin() { Terminal.write("\(header)\n", to: .error) }

  /// One write a frame, so that none is ever seen half.
  func show(_ progress: Progress) {
    state.withLock { state in
      if isTerminal {
        // With room for the ^C that a terminal adds: a line that wraps cannot be taken away.
        let width = (Terminal.error.width ?? 80) - 3
        Terminal.write("\r\(progress.line(width: width))\(Self.eraseRest)", to: .error)
        state.isShown = true
      } else if progress.elapsed >= state.nextPlainLine {
        Terminal.write("\(progress.plainLine)\n", to: .error)
        state.nextPlainLine += .seconds(5)
      }
    }
  }

  /// A line that stays; again, it is left out.
  func say(_ message: String) {
    state.withLock { state in
      guard state.said.insert(message).inserted else { return }
      Terminal.write("\(state.isShown ? "\r\(Self.eraseRest)" : "")swarm: \(message)\n", to: .error)
      state.isShown = false
    }
  }

  /// Takes the line away.
  func end() {
    state.withLock { state in
      if state.isShown { Terminal.write("\r\(Self.eraseRest)", to: .error) }
      state.isShown = false
    }
  }

  private static let eraseRest = "\u{1b}[K"
}
