import MultiClient

/// Reads the command line: `--option value` and `--option=value`, in any order, each at most once.
struct OptionParser {
  private static let withValue: Set<String> = [
    "--connect", "--connections", "--messages", "--duration", "--ramp", "--rate", "--think", "--timeout",
    "--loops", "--size", "--send", "--expect", "--until",
  ]
  private static let flags: Set<String> = ["--hex", "--greeting", "--json", "--help", "--merge"]

  private var values: [String: String] = [:]
  private var files: [String] = []

  private init() {}

  static func parse(_ arguments: some Sequence<String>) throws(UsageError) -> Command {
    var parser = OptionParser()
    try parser.collect(arguments)
    if parser.has("--help") { return .help }
    return parser.has("--merge") ? try parser.merge() : .run(try parser.options())
  }

  private func has(_ option: String) -> Bool { values[option] != nil }

  private mutating func collect(_ arguments: some Sequence<String>) throws(UsageError) {
    var rest = arguments.makeIterator()
    while let argument = rest.next() {
      guard argument.hasPrefix("--") else {
        if argument == "-h" {
          values["--help"] = ""
        } else if has("--merge") {
          files.append(argument)
        } else {
          throw UsageError("\(argument.debugDescription) is no option; a server goes after --connect")
        }
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      if has(name) { throw UsageError("\(name) is given twice; once is enough") }
      if Self.flags.contains(name) {
        guard parts.count == 1 else { throw UsageError("\(name) takes no value; leave \"=\(parts[1])\" out") }
        values[name] = ""
      } else if Self.withValue.contains(name) {
        guard let value = parts.count == 2 ? String(parts[1]) : rest.next() else {
          throw UsageError("\(name) needs a value after it: \(Usage.example(of: name))")
        }
        // A forgotten value; one that does begin so goes after "=".
        if parts.count == 1, Self.withValue.contains(value) || Self.flags.contains(value) {
          throw UsageError("\(name) needs a value before \(value): \(Usage.example(of: name))")
        }
        values[name] = value
      } else {
        let all = Self.withValue.union(Self.flags)
        let hint = Spelling.nearest(to: name, in: all).map { "did you mean \($0)?" } ?? "see swarm --help"
        throw UsageError("there is no option \(name); \(hint)")
      }
    }
  }

  private func merge() throws(UsageError) -> Command {
    if let other = values.keys.sorted().first(where: { $0 != "--merge" && $0 != "--json" }) {
      throw UsageError("\(other) and --merge exclude each other: --merge runs nothing, it sums up files")
    }
    guard !files.isEmpty else {
      throw UsageError("--merge needs the files of summaries after it, as swarm --json writes them")
    }
    return .merge(files, printsJSON: has("--json"))
  }

  private func options() throws(UsageError) -> Options {
    var options = Options()
    if let text = values["--connect"] { options.target = try Destination.parse(text) }
    options.connections = try number("--connections", 1...8_000_000) ?? options.connections
    options.duration = try duration("--duration")
    options.messages = try number("--messages", 1...1_000_000_000) ?? (options.duration == nil ? 20 : nil)
    options.ramp = try rate("--ramp", "connections")
    options.rate = try rate("--rate", "messages")
    options.think = try duration("--think") ?? .zero
    options.timeout = try duration("--timeout") ?? options.timeout
    options.loops = try number("--loops", 1...256) ?? options.loops
    options.script = try ScriptOptions(values: values).script(
      size: try number("--size", 1...1_048_576))
    options.printsJSON = has("--json")
    try check(options)
    return options
  }

  private func check(_ options: Options) throws(UsageError) {
    if options.rate != nil, has("--think") {
      throw UsageError(
        "--rate and --think exclude each other: each says when the next message goes; give one")
    }
    if options.loops > options.connections {
      throw UsageError("--loops \(options.loops) is more than --connections \(options.connections); lower it")
    }
    if let ramp = options.ramp, let duration = options.duration {
      let opening = Duration.seconds(Double(options.connections) / ramp)
      if opening >= duration {
        throw UsageError(
          "--ramp \(values["--ramp"] ?? "") takes \(opening.roundText) to open \(options.connections.grouped) "
            + "connections, and --duration is over after \(duration.roundText); raise one of them")
      }
    }
  }

  // MARK: Values

  private func number(_ option: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int? {
    guard let text = values[option] else { return nil }
    let digits = text.filter { $0 != "_" && $0 != "," }
    guard let value = Int(digits), range.contains(value) else {
      throw UsageError(
        "\(option) must be a whole number from \(range.lowerBound) to \(range.upperBound), "
          + "not \(text.debugDescription)")
    }
    return value
  }

  private func rate(_ option: String, _ noun: String) throws(UsageError) -> Double? {
    guard let text = values[option] else { return nil }
    guard let value = Double(text), value >= 0.001, value <= 1_000_000 else {
      throw UsageError(
        "\(option) must be from 0.001 to 1000000 \(noun) a second, not \(text.debugDescription)")
    }
    return value
  }

  private func duration(_ option: String) throws(UsageError) -> Duration? {
    guard let text = values[option] else { return nil }
    guard let value = Duration(text: text) else {
      throw UsageError(
        "\(option) must be a time such as 500ms, 10s, 2m or 1h, not \(text.debugDescription)")
    }
    guard value >= .milliseconds(1), value <= .seconds(31_536_000) else {
      throw UsageError("\(option) must be from 1ms to a year, not \(text)")
    }
    return value
  }
}
