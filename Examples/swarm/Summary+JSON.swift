import MultiClient

// Its own format, versioned by the member "swarm". Times are in nanoseconds; histograms have all that merging needs.

extension Summary {
  private static let version = 1

  var json: JSON {
    [
      "swarm": .integer(Self.version),
      "runs": .integer(runs),
      "heading": .string(heading),
      "elapsed_ns": .integer(elapsed.nanoseconds),
      "signal": signal.map { .integer($0) } ?? .null,
      "connections": [
        "asked": .integer(connections.asked), "opened": .integer(connections.opened),
        "opening_ns": .integer(connections.opening.nanoseconds),
      ],
      "messages": [
        "sent": .integer(messages.sent), "right": .integer(messages.right),
        "wrong": .integer(messages.wrong), "unanswered": .integer(messages.unanswered),
      ],
      "replies_per_second": .number("\(repliesPerSecond)"),
      "bytes": ["received": .integer(bytesReceived), "sent": .integer(bytesSent)],
      "connecting": connecting.json,
      "replies": replies.json,
      "errors": .array(
        errors.sorted.map {
          ["class": .string($0.kind), "count": .integer($0.count), "example": .string($0.example)]
        }),
    ]
  }

  init(json: JSON) throws(JSONError) {
    let version: Int = try json.integer("swarm")
    guard version == Self.version else {
      throw JSONError("its version is \(version), and this program knows \(Self.version) alone")
    }
    heading = try json.string("heading")
    runs = try json.integer("runs")
    elapsed = .nanoseconds(try json.integer("elapsed_ns") as Int64)
    signal = try json.member("signal") == .null ? nil : json.integer("signal")
    if let signal, !(1...64).contains(signal) { throw JSONError("\"signal\" is none: \(signal)") }
    let connections = try json.member("connections")
    self.connections = Connections(
      asked: try connections.integer("asked"), opened: try connections.integer("opened"),
      opening: .nanoseconds(try connections.integer("opening_ns") as Int64))
    let messages = try json.member("messages")
    self.messages = Messages(
      sent: try messages.integer("sent"), right: try messages.integer("right"),
      wrong: try messages.integer("wrong"))
    let bytes = try json.member("bytes")
    bytesReceived = try bytes.integer("received")
    bytesSent = try bytes.integer("sent")
    connecting = try LatencyHistogram(json: json.member("connecting"))
    replies = try LatencyHistogram(json: json.member("replies"))
    for error in try json.array("errors") {
      let example = try error.string("example")
      errors.count(try error.string("class"), times: try error.integer("count")) { example }
    }
  }
}

extension LatencyHistogram {
  fileprivate var json: JSON {
    func time(_ value: Duration?) -> JSON { value.map { .integer($0.nanoseconds) } ?? .null }
    return [
      "count": .integer(count), "min_ns": time(min), "mean_ns": time(mean),
      "p50_ns": time(quantile(0.5)), "p90_ns": time(quantile(0.9)), "p99_ns": time(quantile(0.99)),
      "p999_ns": time(quantile(0.999)), "max_ns": time(max), "histogram": .string(text),
    ]
  }

  fileprivate init(json: JSON) throws(JSONError) {
    guard let histogram = LatencyHistogram(text: try json.string("histogram")) else {
      throw JSONError("\"histogram\" is none")
    }
    self = histogram
  }
}

extension Duration {
  fileprivate var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? .max : whole + attoseconds / 1_000_000_000
  }
}
