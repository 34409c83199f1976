import AsyncSockets

/// What happened in a simulation, in order.
struct SimulationTrace {
  enum Entry {
    case call(StaticString, host: Int, Subject, result: Int)
    /// A call at an address that leads to one end of a connection.
    case connection(StaticString, host: Int, SocketAddress, stream: Int)
    /// A write, with the first bytes that it took.
    case write(host: Int, stream: Int, result: Int, first: [UInt8])
    /// With the first bytes of data.
    case arrival(StaticString, bytes: Int, host: Int, stream: Int, first: [UInt8] = [])
    case turn(jobs: Int)
    case note(String)
    /// A note of somebody who works on a host.
    case remark(String, host: Int)
  }

  /// What a system call is about.
  enum Subject {
    case stream(Int)
    case listener(SocketAddress)
    case socket
  }

  /// Entries of which the text is kept; the fingerprint covers all.
  private static let longest = 4096

  private static let mostDisturbances = 100

  private(set) var disturbances: [(time: EventLoop.Instant, text: String)] = []
  private var entries: [(time: EventLoop.Instant, entry: Entry)] = []
  private var first = 0
  /// FNV-1a of all entries.
  private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325
  private(set) var count = 0
  private var turns = 0

  /// How many entries there were that are no turns.
  var traffic: Int { count - turns }

  /// - Parameter bytes: those of a write, all of which tell one run from another.
  mutating func add(_ entry: Entry, bytes: [UInt8] = [], at time: EventLoop.Instant) {
    count += 1
    mix(UInt64(bitPattern: time.nanoseconds))
    switch entry {
    case .call(let name, let host, let subject, let result):
      mix(name)
      mix(UInt64(host))
      if case .stream(let stream) = subject { mix(UInt64(stream)) }
      mix(UInt64(bitPattern: Int64(result)))
    case .connection(let name, let host, _, let stream):
      mix(name)
      mix(UInt64(host))
      mix(UInt64(stream))
    case .write(let host, let stream, let result, _):
      mix("write")
      mix(UInt64(host))
      mix(UInt64(stream))
      mix(UInt64(bitPattern: Int64(result)))
      mix(bytes)
    case .arrival(let name, let bytes, let host, let stream, _):
      mix(name)
      mix(UInt64(bytes))
      mix(UInt64(host))
      mix(UInt64(stream))
    case .turn(let jobs):
      turns += 1
      return mix(UInt64(jobs))
    case .note(let text): for byte in text.utf8 { mix(byte) }
    case .remark(let text, let host):
      mix(UInt64(host))
      for byte in text.utf8 { mix(byte) }
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

  private mutating func mix(_ bytes: [UInt8]) {
    let words = bytes.count / 8
    unsafe bytes.withUnsafeBytes { bytes in
      for word in 0..<words { mix(unsafe bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)) }
    }
    for byte in bytes[(words * 8)...] { mix(byte) }
  }

  private mutating func mix(_ text: StaticString) {
    text.withUTF8Buffer { bytes in
      for index in bytes.indices { mix(unsafe bytes[index]) }
    }
  }

  /// As many as a time line shows; not a copy of those where that is all.
  static func first(of bytes: [UInt8]) -> [UInt8] {
    bytes.count <= SimulationTimeline.mostBytes ? bytes : Array(bytes.prefix(SimulationTimeline.mostBytes))
  }

  /// Adds a note that the report of a failure shows however long ago it was.
  mutating func addDisturbance(_ text: String, at time: EventLoop.Instant) {
    add(.note(text), at: time)
    if disturbances.count == Self.mostDisturbances { disturbances.removeFirst() }
    disturbances.append((time, text))
  }

  /// The last entries, the oldest first.
  func last(_ count: Int) -> [(time: EventLoop.Instant, entry: Entry)] {
    (entries[first...] + entries[..<first]).suffix(count)
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
    case .acknowledgement: "acknowledgement"
    }
  }

  /// The first bytes of data.
  var first: [UInt8] {
    guard case .data(let bytes) = self else { return [] }
    return SimulationTrace.first(of: bytes)
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
