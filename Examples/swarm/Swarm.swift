import MultiClient

/// Opens thousands of connections, talks over each of them, checks every reply, and sums up.
@main
struct Swarm {
  static func main() async {
    do {
      switch try OptionParser.parse(CommandLine.arguments.dropFirst()) {
      case .help:
        Terminal.write(Usage.text, to: .output)
      case .merge(let files, let printsJSON):
        let summary = try merge(files)
        summary.report(asJSON: printsJSON)
        Terminal.exit(summary.errors.total == 0 ? 0 : 1)
      case .run(let options):
        let summary = try await run(options)
        summary.report(asJSON: options.printsJSON)
        Terminal.exit(summary.exitStatus)
      }
    } catch let error as UsageError {
      Terminal.fail("\(error)", status: 2)
    } catch {
      Terminal.fail("\(error)", status: 1)
    }
  }

  private static func run(_ options: Options) async throws -> Summary {
    let places = Places(
      descriptors: SystemLimits.raiseDescriptors(to: Places.descriptors(for: options)),
      ports: SystemLimits.ephemeralPorts)
    try places.check(options)
    if let target = options.target { return try await LoadTest(options, on: target).summary() }
    return try await EchoServer.with { address in
      try await LoadTest(options, on: .address(address)).summary()
    }
  }

  private static func merge(_ files: [String]) throws(UsageError) -> Summary {
    var merged: Summary?
    for file in files {
      let text = try Terminal.contents(of: file)
      do throws(JSONError) {
        let summary = try Summary(json: JSON(parsing: text))
        merged = merged.map { $0.merged(with: summary) } ?? summary
      } catch {
        throw UsageError("\(file) is no summary as swarm --json writes it: \(error)")
      }
    }
    guard let merged else { throw UsageError("--merge needs the files of summaries after it") }
    return merged
  }
}

extension Summary {
  fileprivate func report(asJSON: Bool) {
    if let reason = Terminal.write(asJSON ? json.text + "\n" : textToShow, to: .output) {
      Terminal.fail("the summary cannot be written: \(reason)", status: 1)
    }
  }

  private var textToShow: String {
    // Whoever watches has read the heading before.
    let isWatched = Terminal.output.isTerminal && Terminal.error.isTerminal
    let width = min(Terminal.output.width ?? 80, 100)
    return (isWatched ? "" : "\(Escapes.printable(heading))\n") + text(width: width)
  }
}
