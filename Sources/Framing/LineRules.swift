/// What the text form and the byte form of line framing are configured with.
struct LineRules: Sendable {
  let terminator: LineTerminator
  let sends: LineTerminator
  let maximumLength: Int
  let unfinishedLastLine: LineFraming.UnfinishedLastLine
  let badFrames: BadFrames
  var keepsTerminator = false

  /// Rules that need no checking.
  init(known terminator: LineTerminator) {
    self.terminator = terminator
    sends = terminator
    maximumLength = LineFraming.defaultMaximumLength
    unfinishedLastLine = .deliver
    badFrames = .fail
  }

  init(
    terminator: LineTerminator, sends: LineTerminator, maximumLength: Int,
    unfinishedLastLine: LineFraming.UnfinishedLastLine, badFrames: BadFrames
  ) throws(FramingError) {
    guard terminator != [] else {
      throw .invalidConfiguration("the line terminator is empty; give it at least one byte, such as \"\\n\"")
    }
    guard sends != [] else {
      throw .invalidConfiguration(
        "the terminator to send is empty, so lines would run together; give it at least one byte, or use "
          + "keepingTerminator to send lines as they are")
    }
    if let problem = terminator.problem ?? sends.problem { throw .invalidConfiguration(problem) }
    guard maximumLength > 0 else {
      throw .invalidConfiguration(
        "the maximum line length is \(maximumLength) bytes; make it at least 1 (the default is "
          + "\(LineFraming.defaultMaximumLength))")
    }
    self.terminator = terminator
    self.sends = sends
    self.maximumLength = maximumLength
    self.unfinishedLastLine = unfinishedLastLine
    self.badFrames = badFrames
  }

  /// The same rules, with lines that include their terminators.
  var keepingTerminator: LineRules {
    var rules = self
    rules.keepsTerminator = true
    return rules
  }

  /// What an encoder adds to a line.
  var suffix: [UInt8] { keepsTerminator ? [] : sends.output }
}
