/// A codec failed a check. The description is the report: what was expected, what came, and the smallest reads that
/// were found to show it.
public struct CodecFailure: Error, CustomStringConvertible {
  /// The check that failed; `nil` if what was given verifies nothing.
  public let check: CodecCheck?
  /// The reads that show it; empty where none are needed.
  public let reads: [[UInt8]]
  /// What random choices were made from. The same samples with the same seed fail in the same way.
  public let seed: UInt64
  /// The report.
  public let description: String

  init(nothingToVerify codec: String) {
    self.init(of: codec, "nothing to verify it with; give frames, streams or a limit")
  }

  init(shortOf limit: CodecLimit, codec: String) {
    self.init(
      of: codec,
      "no frame of the \(limit.accepts.count) bytes that the limit of \(limit.limit) accepts can be at that limit; "
        + "give whole frames of which one is exactly as long as it allows")
  }

  private init(of codec: String, _ mistake: String) {
    check = nil
    reads = []
    seed = 0
    description = "\(codec): \(mistake)"
  }

  init(
    _ check: CodecCheck, codec: String, problem: CodecProblem, reads: [[UInt8]], shrunkFrom size: Int?,
    seed: UInt64
  ) {
    self.check = check
    self.reads = reads
    self.seed = seed
    var lines = ["\(codec): \(check.problem) (\(check.rawValue), seed \(seed))"]
    lines += ["  \(problem.label)  \(problem.expected)", "  got       \(problem.got)"]
    let bytes = reads.reduce(0) { $0 + $1.count }
    if !reads.isEmpty {
      let origin = size.map { $0 > bytes ? ", shrunk from \($0)" : "" } ?? ""
      lines.append("  \(Self.count(bytes, "byte")) in \(Self.count(reads.count, "read"))\(origin):")
      lines += reads.prefix(Self.mostReads).map { "    \(HexText($0))" }
      if reads.count > Self.mostReads { lines.append("    … \(reads.count - Self.mostReads) more") }
    }
    description = lines.joined(separator: "\n")
  }

  private static var mostReads: Int { 24 }

  private static func count(_ n: Int, _ noun: String) -> String { "\(n) \(noun)\(n == 1 ? "" : "s")" }
}

/// What a check found.
struct CodecProblem {
  /// What `expected` is: as long as that word.
  var label = "expected"
  var expected: String
  var got: String
}
