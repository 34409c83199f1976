import AsyncSockets

// What has happened, in words.

extension SimulatedNetwork {
  /// The last things that happened, the oldest first.
  func traceLines(last count: Int) -> [String] {
    trace.last(count).map { Self.line($0.time, text(of: $0.entry)) }
  }

  var disturbances: [String] { trace.disturbances.map { Self.line($0.time, $0.text) } }

  /// Notes what the report of a failure must not miss.
  mutating func disturb(_ text: String) { trace.addDisturbance(text, at: now) }

  /// Tells what was closed before somebody has thrown from what was closed for that, if there was anything.
  mutating func noteThrown(_ error: any Error, by whom: String) {
    if trace.traffic > 0 { trace.add(.note(whom + Self.thrown(error)), at: now) }
  }

  static func thrown(_ error: any Error) -> String { " has thrown: \(error)" }

  /// A connection as its number, and who connected to whom: `#3 client→server`.
  func name(ofStream id: Int) -> String {
    let stream = streams[id]
    let initiator = stream.isInitiator ? stream : stream.peer.map { streams[$0] } ?? stream
    let target = host(at: initiator.remote, from: initiator.host)
    return "#\(stream.connection) \(hosts[initiator.host].name)→"
      + (target.map { hosts[$0].name } ?? "\(initiator.remote)")
  }

  private static func line(_ time: EventLoop.Instant, _ text: String) -> String {
    let (seconds, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let digits = String(rest)
    return "\(seconds).\(String(repeating: "0", count: 9 - digits.count))\(digits) s  \(text)"
  }

  private func text(of entry: SimulationTrace.Entry) -> String {
    switch entry {
    case .call(let name, let host, let subject, let result):
      "\(hosts[host].name): \(name)(\(text(of: subject)))" + text(ofResult: result, of: subject)
    case .connection(let name, let host, let address, let stream):
      "\(hosts[host].name): \(name)(\(address)) = \(self.name(ofStream: stream))"
    case .write(let host, let stream, let result, _):
      text(of: .call("write", host: host, .stream(stream), result: result))
    case .arrival(let packet, let bytes, let host, let stream, _):
      "\(hosts[host].name): \(packet)" + (bytes > 0 ? " (\(bytes.of("byte")))" : "")
        + " arrives on \(name(ofStream: stream))"
    case .turn(let jobs): "turn of \(jobs.of("job"))"
    case .note(let text): text
    case .remark(let text, let host): "\(hosts[host].name): \(text)"
    }
  }

  private func text(of subject: SimulationTrace.Subject) -> String {
    switch subject {
    case .stream(let id): name(ofStream: id)
    case .listener(let address): "\(address)"
    case .socket: "socket"
    }
  }

  private func text(ofResult result: Int, of subject: SimulationTrace.Subject) -> String {
    if result < 0 { return " = \(Errno(rawValue: Int32(-result)).name)" }
    if case .stream = subject { return " = \(result)" }
    return ""
  }
}
