import AsyncSockets

// What has happened, as a time line.

extension SimulatedNetwork {
  /// What is known of all that happened: all faults of the last hundred, and what the trace has kept.
  var timeline: SimulationTimeline {
    var timeline = SimulationTimeline()
    let kept = trace.last(.max)
    let faults = trace.disturbances
    if let first = kept.first {
      for fault in faults where fault.time < first.time {
        timeline.append(.init(time: fault.time, host: nil, content: .fault(fault.text)))
      }
    }
    let texts = Set(faults.map(\.text))
    for (time, entry) in kept {
      if let row = row(of: entry, at: time, texts) { timeline.append(row) }
    }
    return timeline
  }

  /// How an entry is told; `nil` if it isn't.
  private func row(
    of entry: SimulationTrace.Entry, at time: EventLoop.Instant, _ faults: Set<String>
  ) -> SimulationTimeline.Row? {
    let place: Int?
    let content: SimulationTimeline.Row.Content?
    switch entry {
    case .turn: return nil
    case .note(let text): (place, content) = (nil, faults.contains(text) ? .fault(text) : .note(text))
    case .remark(let text, let host): (place, content) = (host, .event(text))
    case .connection(let name, let host, let address, let stream):
      (place, content) = (host, .event(text(of: name, address, stream)))
    case .write(let host, let stream, let result, let first):
      place = host
      content =
        result < 0
        ? .event("\(number(stream)) write: \(Errno(rawValue: Int32(-result)).name)")
        : .bytes("\(number(stream)) →", first: first, count: result)
    case .arrival(_, let bytes, let host, let stream, let first) where bytes > 0 && !first.isEmpty:
      (place, content) = (host, .bytes("\(number(stream)) ←", first: first, count: bytes))
    case .arrival(let packet, _, let host, let stream, _):
      (place, content) = (host, text(ofPacket: packet).map { .event("\(number(stream)) \($0)") })
    case .call(let name, let host, let subject, let result):
      (place, content) = (host, text(ofCall: name, subject, result).map { .event($0) })
    }
    guard let content else { return nil }
    return SimulationTimeline.Row(time: time, host: place.map { hosts[$0].name }, content: content)
  }

  private func number(_ stream: Int) -> String { "#\(streams[stream].connection)" }

  private func text(of call: StaticString, _ address: SocketAddress, _ stream: Int) -> String {
    if "\(call)" == "connect" {
      let name = host(at: address, from: streams[stream].host).map { hosts[$0].name } ?? address.host
      return "\(number(stream)) connects to \(name)" + (address.port.map { ":\($0)" } ?? "")
    }
    return "\(number(stream)) accepted"
      + (streams[stream].peer.map { " from \(hosts[streams[$0].host].name)" } ?? "")
  }

  private func text(ofPacket name: StaticString) -> String? {
    switch "\(name)" {
    case "acceptance": "is connected"
    case "refusal": "← refused"
    case "end": "← end"
    case "reset": "← reset"
    default: nil
    }
  }

  private func text(ofCall name: StaticString, _ subject: SimulationTrace.Subject, _ result: Int) -> String? {
    let what: String
    switch subject {
    case .stream(let id): what = number(id)
    case .listener(let address): what = "listener \(address)"
    case .socket: what = "socket"
    }
    if result < 0 { return "\(what) \(name): \(Errno(rawValue: Int32(-result)).name)" }
    switch ("\(name)", subject) {
    case ("read", _): return nil
    case ("listen", .listener(let address)): return "listens on \(address)"
    case ("close", .socket): return nil
    case ("close", _): return "\(what) closed"
    case ("drop", _): return "\(what) dropped, and not closed"
    default: return "\(what) \(name)"
    }
  }
}
