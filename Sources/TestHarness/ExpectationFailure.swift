/// A peer did not do what a test expected of it. The description is the report: where, what was expected, what came, and
/// the transcript of the connection.
public struct ExpectationFailure: Error, CustomStringConvertible {
  /// What went wrong, in one line.
  public let problem: String
  /// What went over the connection until then; `nil` where there was none.
  public let transcript: Transcript?
  /// What a script or a handler threw that is no failed expectation.
  public let underlying: (any Error)?
  /// The report.
  public let description: String

  /// - Parameters:
  ///   - place: Where the expectation stands in the test.
  ///   - peer: Who failed it.
  init(
    _ problem: String, of peer: String, at place: SourcePlace?, difference: ByteDifference? = nil,
    transcript: Transcript, underlying: (any Error)? = nil
  ) {
    self.underlying = underlying
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

  /// The same, and what else became of the test.
  func noting(_ notes: [String]) -> ExpectationFailure {
    ExpectationFailure(
      problem: problem, transcript: transcript, underlying: underlying,
      description: ([description] + notes).joined(separator: "\n"))
  }

  private init(problem: String, transcript: Transcript?, underlying: (any Error)?, description: String) {
    self.underlying = underlying
    self.problem = problem
    self.transcript = transcript
    self.description = description
  }

  init(_ problem: String) {
    underlying = nil
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
