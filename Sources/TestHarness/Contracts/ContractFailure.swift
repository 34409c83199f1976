/// Promises that were not kept. The description is the report: each failed check, what was expected, what came, and
/// where to look.
public struct ContractFailure<Check: ContractCheck>: Error, CustomStringConvertible {
  /// One check that failed.
  public struct Finding: Sendable {
    /// The check.
    public let check: Check
    /// How it was run: on or off the loop, and which end was looked at.
    public let setting: String
    /// What should have come.
    public let expected: String
    /// What came instead.
    public let got: String
    /// Whether it did not end, and was given up.
    public let ranOutOfTime: Bool
  }

  /// After so many checks that ran out of time no more are run.
  static var mostHangs: Int { 3 }

  /// What was verified.
  public let subject: String
  /// The checks that failed, each as it was found first, in the order of the checks.
  public let findings: [Finding]
  /// How many checks there were.
  public let checkCount: Int
  /// Those that were not run, since three had run out of time before.
  public let notRun: [Check]

  /// The report.
  public var description: String {
    var lines = ["\(subject): \(findings.count) of \(checkCount) checks failed"]
    for finding in findings {
      lines.append("\(finding.check.rawValue): \(finding.check.promise) (\(finding.setting))")
      lines.append("  expected  \(finding.expected)")
      lines.append("  got       \(finding.got)")
      lines.append("  look at   \(finding.check.advice)")
    }
    if !notRun.isEmpty {
      lines.append(
        "not run, since \(Self.mostHangs) checks had run out of time: "
          + notRun.map(\.rawValue).joined(separator: ", "))
    }
    return lines.joined(separator: "\n")
  }
}

/// A stream failed ``verifyStream(on:capabilities:watermarks:writeStallLimit:checks:limit:makePair:)``.
public typealias StreamFailure = ContractFailure<StreamCheck>

/// A listener failed ``verifyListener(on:checks:limit:connect:bind:)``.
public typealias ListenerFailure = ContractFailure<ListenerCheck>

/// Not what a check expected.
struct Mismatch: Error {
  var expected: String
  var got: String
}
