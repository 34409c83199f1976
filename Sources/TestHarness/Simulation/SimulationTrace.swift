import AsyncSockets

/// What happened in a simulation, in order.
struct SimulationTrace {
  enum Entry {
    case call(StaticString, host: Int, descriptor: Int32, result: Int)
    case arrival(StaticString, bytes: Int, host: Int, stream: Int)
    case turn(jobs: Int)
    case note(String)
  }

  /// Entries of which the text is kept; the fingerprint covers all.
  private static let longest = 4096

  private var entries: [(time: EventLoop.Instant, entry: Entry)] = []
  private var first = 0
  /// FNV-1a of all entries.
  private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325
  private(set) var count = 0
  private var turns = 0

  /// How many entries there were that are no turns.
  var traffic: Int { count - turns }

  mutating func add(_ entry: Entry, at time: EventLoop.Instant) {
    count += 1
    mix(UInt64(bitPattern: time.nanoseconds))
    switch entry {
    case .call(let name, let host, let descriptor, let result):
      mix(name)
      mix(UInt64(host))
      mix(UInt64(UInt32(bitPattern: descriptor)))
      mix(UInt64(bitPattern: Int64(result)))
    case .arrival(let name, let bytes, let host, let stream):
      mix(name)
      mix(UInt64(bytes))
      mix(UInt64(host))
      mix(UInt64(stream))
    case .turn(let jobs):
      turns += 1
      return mix(UInt64(jobs))
    case .note(let text): for byte in text.utf8 { mix(byte) }
    }
    if entries.count < Self.longest {
      entries.append((time, entry))
    } else {
      entries[first] = (time, entry)
      first = (first + 1) % Self.longest
    }
  }

  private mutating func mix(_ byte: UInt8) {
    fingerprint = (fingerprint ^ UInt64(byte)) &* 0x100_0000_01b3
  }

  private mutating func mix(_ number: UInt64) {
    fingerprint = (fingerprint ^ number) &* 0x100_0000_01b3
    fingerprint ^= fingerprint >> 29
  }

  private mutating func mix(_ text: StaticString) {
    for byte in "\(text)".utf8 { mix(byte) }
  }

  /// The last entries as text, the oldest first.
  func lines(last count: Int, hosts: [String]) -> [String] {
    let ordered = entries[first...] + entries[..<first]
    return ordered.suffix(count).map { time, entry in
      "\(Self.seconds(time)) \(Self.text(entry, hosts))"
    }
  }

  private static func seconds(_ time: EventLoop.Instant) -> String {
    let (seconds, rest) = time.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    let digits = String(rest)
    return "\(seconds).\(String(repeating: "0", count: 9 - digits.count))\(digits)"
  }

  private static func text(_ entry: Entry, _ hosts: [String]) -> String {
    switch entry {
    case .call(let name, let host, let descriptor, let result):
      "\(hosts[host]): \(name)(\(descriptor)) = \(result)"
    case .arrival(let name, let bytes, let host, let stream):
      "\(hosts[host]): \(name) arrives at end \(stream)" + (bytes > 0 ? ", \(bytes) bytes" : "")
    case .turn(let jobs): "turn of \(jobs) jobs"
    case .note(let text): text
    }
  }
}

extension SimulatedPacket {
  var name: StaticString {
    switch self {
    case .request: "request"
    case .accepted: "acceptance"
    case .refused: "refusal"
    case .data: "data"
    case .end: "end"
    case .reset: "reset"
    case .room: "room"
    }
  }

  /// Bytes of data, or bytes for which there is room.
  var payload: Int {
    switch self {
    case .data(let bytes): bytes.count
    case .room(let count): count
    default: 0
    }
  }
}
