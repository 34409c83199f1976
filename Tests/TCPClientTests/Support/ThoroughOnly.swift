import Glibc
import Testing

extension Trait where Self == ConditionTrait {
  /// For what takes the processor for seconds: left out of the default run, and part of every merge.
  static var thoroughOnly: Self {
    .enabled(
      if: unsafe getenv("ASYNCSOCKETS_SLOW").map { unsafe String(cString: $0) } == "1",
      "it runs with ASYNCSOCKETS_SLOW=1")
  }
}
