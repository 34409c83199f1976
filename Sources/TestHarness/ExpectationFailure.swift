/// A peer did not do what a test expected of it. The description is the report: where, what was expected, what came, and
/// the transcript of the connection.
public struct ExpectationFailure: Error, CustomStringConvertible {
  /// What went wrong, in one line.
  public let problem: String
  /// What went over the connection until then; `nil` where there was none.
  public let transcript: Transcript?
  /// The report.
  public let description: String

  /// - Parameters:
  ///   - place: Where the expectation stands in the test.
  ///   - peer: Who failed it.
  init(
    _ problem: String, of peer: String, at place: SourcePlace?, difference: ByteDifference? = nil,
    transcript: Transcript
  ) {
    self.problem = problem
    self.transcript = transcript
    var lines = ["\(place.map { "\($0): " } ?? "")\(peer): \(problem)"]
    if let difference { lines += difference.lines.map { "  " + $0 } }
    if transcript.entries.isEmpty {
      lines.append("nothing went over the connection")
    } else {
      lines.append("transcript:")
      lines += transcript.description.split(separator: "\n").map { "  " + $0 }
    }
    description = lines.joined(separator: "\n")
  }

  /// The failure of a script whose test has failed too, perhaps because of it, or it because of the test.
  func and(_ error: any Error) -> ExpectationFailure {
    if error is CancellationError { return self }
    return ExpectationFailure(
      problem: problem, transcript: transcript, description: description + "\nthe test's body threw: \(error)"
    )
  }

  private init(problem: String, transcript: Transcript?, description: String) {
    self.problem = problem
    self.transcript = transcript
    self.description = description
  }

  init(_ problem: String) {
    self.problem = problem
    transcript = nil
    description = problem
  }
}

/// A line of a test.
struct SourcePlace: Sendable, CustomStringConvertible {
  let file: String
  let line: Int
  var description: String { "\(file):\(line)" }
}
