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
    /// Whether it ignored its cancellation too, so that nothing more could be run.
    let wasLeftBehind: Bool
    /// Whether there was nothing to look at, since making it threw.
    let couldNotBegin: Bool
  }

  /// After so many checks that ran out of time no more are run.
  static var mostHangs: Int { 3 }

  /// What was verified.
  public let subject: String
  /// The checks that failed, each as it was found first, in the order of the checks.
  public let findings: [Finding]
  /// How many checks there were.
  public let checkCount: Int
  /// Those that were not run: three had run out of time before, or one had to be left behind, or could not begin.
  public let notRun: [Check]

  /// The report.
  public var description: String {
    var lines: [String] = []
    let failed = findings.filter { !$0.couldNotBegin }
    if !failed.isEmpty { lines.append("\(subject): \(failed.count) of \(checkCount) checks failed") }
    for finding in failed {
      lines.append("\(finding.check.rawValue): \(finding.check.promise) (\(finding.setting))")
      lines.append("  expected  \(finding.expected)")
      lines.append("  got       \(finding.got)")
      lines.append("  look at   \(finding.check.advice)")
    }
    if let unmade = findings.first(where: \.couldNotBegin) {
      lines.append(
        "\(subject): making what is to be checked threw: \(unmade.got) "
          + "(for \(unmade.check.rawValue), \(unmade.setting))")
      if !notRun.isEmpty { lines.append("not run after that: \(notRun.count.of("check"))") }
    } else if !notRun.isEmpty {
      let reason =
        findings.contains(where: \.wasLeftBehind)
        ? "one ignores its cancellation" : "\(Self.mostHangs) checks had run out of time"
      lines.append("not run, since \(reason): " + notRun.map(\.rawValue).joined(separator: ", "))
    }
    return lines.joined(separator: "\n")
  }
}

/// A stream failed ``verifyStream(on:capabilities:watermarks:writeStallLimit:checks:limit:makePair:)``.
public typealias StreamFailure = ContractFailure<StreamCheck>

/// A listener failed ``verifyListener(on:checks:limit:connect:bind:)``.
public typealias ListenerFailure = ContractFailure<ListenerCheck>

/// There is nothing to check.
struct NothingMade: Error {
  var reason: any Error

  static func wrapping<Value>(_ make: () async throws -> Value) async throws -> Value {
    do { return try await make() } catch { throw NothingMade(reason: error) }
  }
}

/// Not what a check expected.
struct Mismatch: Error {
  var expected: String
  var got: String
}
