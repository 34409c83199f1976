/// How lines end, written as plainly as possible: the reference that the decoders are held to.
///
/// It sees the whole stream at once, and keeps nothing between lines but the terminator that it has detected.
struct LineModel {
  enum Terminator {
    case newline, anyNewline, autodetect
    case literal([UInt8])
    case oneOf([[UInt8]])
    case run([UInt8], atLeast: Int)
  }

  var terminator: Terminator
  var maximumLength = 65_536

  /// The lines without and with their terminators, an unfinished last one included, and whether what follows
  /// them is too long.
  func lines(_ stream: [UInt8]) -> (content: [[UInt8]], whole: [[UInt8]], isTooLong: Bool) {
    var terminators = self.terminators
    var content: [[UInt8]] = []
    var whole: [[UInt8]] = []
    var start = 0
    var index = 0
    while start < stream.count {
      // The longest that fits here; none at the end, where the rest is the last line.
      let found = longestMatch(stream[index...], of: terminators)
      if found == nil && index < stream.count {
        index += 1
        continue
      }
      if index - start > maximumLength { return (content, whole, true) }
      content.append(Array(stream[start..<index]))
      index += found?.count ?? 0
      whole.append(Array(stream[start..<index]))
      start = index
      if case .autodetect = terminator, let found { terminators = [found] }
    }
    return (content, whole, false)
  }

  private func longestMatch(_ rest: ArraySlice<UInt8>, of terminators: [[UInt8]]) -> [UInt8]? {
    if case .run(let bytes, let minimum) = terminator {
      let run = rest.prefix { bytes.contains($0) }
      return run.count >= minimum ? Array(run) : nil
    }
    return terminators.filter { rest.starts(with: $0) }.max { $0.count < $1.count }
  }

  private var terminators: [[UInt8]] {
    switch terminator {
    case .newline: [[10], [13, 10]]
    case .anyNewline, .autodetect: [[10], [13], [13, 10], [10, 13]]
    case .literal(let bytes): [bytes]
    case .oneOf(let alternatives): alternatives
    case .run: []
    }
  }
}
