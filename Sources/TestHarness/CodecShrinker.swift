/// Makes reads that show a problem smaller for as long as they still show it.
struct CodecShrinker {
  private(set) var reads: [[UInt8]]
  private(set) var problem: CodecProblem
  private let check: ([[UInt8]]) -> CodecProblem?
  /// How many more tries are worth a developer's time.
  private var tries = 4_000

  /// - Parameters:
  ///   - reads: What shows the problem.
  ///   - keepingBytes: Whether only the places where reads are cut may change.
  ///   - check: What is wrong with reads, if anything.
  init(
    _ reads: [[UInt8]], _ problem: CodecProblem, keepingBytes: Bool,
    check: @escaping ([[UInt8]]) -> CodecProblem?
  ) {
    self.reads = reads
    self.problem = problem
    self.check = check
    var size = -1
    while size != reads.count + self.reads.reduce(0, { $0 + $1.count }), tries > 0 {
      size = reads.count + self.reads.reduce(0) { $0 + $1.count }
      if !keepingBytes { dropReads() }
      mergeReads()
      if !keepingBytes { dropBytes() }
    }
  }

  private mutating func adopt(_ candidate: [[UInt8]]) -> Bool {
    guard tries > 0 else { return false }
    tries -= 1
    guard let problem = check(candidate) else { return false }
    reads = candidate
    self.problem = problem
    return true
  }

  private mutating func dropReads() {
    var size = reads.count / 2
    while size > 0 {
      var start = 0
      while start < reads.count {
        var candidate = reads
        candidate.removeSubrange(start..<min(start + size, reads.count))
        if !adopt(candidate) { start += size }
      }
      size /= 2
    }
  }

  private mutating func mergeReads() {
    var size = reads.count
    while size > 1 {
      var start = 0
      while start + 1 < reads.count {
        let end = min(start + size, reads.count)
        var candidate = reads
        candidate.replaceSubrange(start..<end, with: [Array(reads[start..<end].joined())])
        if !adopt(candidate) { start += size } else { start += 1 }
      }
      size /= 2
    }
  }

  private mutating func dropBytes() {
    for index in reads.indices {
      var size = reads[index].count / 2
      while size > 0 {
        var start = 0
        while start < reads[index].count {
          var candidate = reads
          candidate[index].removeSubrange(start..<min(start + size, reads[index].count))
          if candidate[index].isEmpty || !adopt(candidate) { start += size }
        }
        size /= 2
      }
    }
  }
}
