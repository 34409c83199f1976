import Testing

/// Runs the body of an exit test, whose errors would else be told as a crash without a word.
func reportingErrors(_ body: () async throws -> Void) async {
  do {
    try await body()
  } catch {
    Issue.record("\(error)")
  }
}
