import Glibc

/// Decodes the same mebibyte again and again for a while, and measures the processor time.
struct Run {
  /// A message as it is sent.
  struct Message {
    let wire: [UInt8]
    /// How much of it is payload.
    let payload: Int

    /// 64 bytes with the newline.
    static let line = Message(
      wire: Array(repeating: UInt8(ascii: "x"), count: 63) + [UInt8(ascii: "\n")], payload: 63)

    /// 64 bytes with the length, which takes four.
    static let block = Message(
      wire: [0, 0, 0, 60] + Array(repeating: UInt8(ascii: "x"), count: 60), payload: 60)
  }

  /// What came out.
  struct Tally {
    private(set) var messages = 0
    private(set) var bytes = 0

    mutating func add(_ size: Int) {
      messages += 1
      bytes += size
    }

    mutating func add(_ other: Tally) {
      messages += other.messages
      bytes += other.bytes
    }
  }

  let chunk: Int
  let seconds: Double
  /// The result, as JSON.
  private(set) var report = ""

  init(chunk: Int, seconds: Double) {
    self.chunk = chunk
    self.seconds = seconds
  }

  /// - Parameter pass: Decodes the chunks, which end with a whole message.
  mutating func repeatPasses(
    of message: Message, _ pass: (_ chunks: [[UInt8]], _ tally: inout Tally) throws -> Void
  ) throws {
    let count = (1 << 20) / message.wire.count
    let input = Array(repeatElement(message.wire, count: count).joined())
    let chunks = stride(from: 0, to: input.count, by: chunk).map {
      Array(input[$0..<min($0 + chunk, input.count)])
    }

    var warmUp = Tally()
    try pass(chunks, &warmUp)
    var tally = Tally()
    var passes = 0
    var elapsed = 0.0
    let start = Self.processorTime()
    while elapsed < seconds {
      try pass(chunks, &tally)
      passes += 1
      elapsed = Self.processorTime() - start
    }
    guard tally.messages == passes * count, tally.bytes == tally.messages * message.payload else {
      print("\(tally.messages) messages of \(tally.bytes) bytes in all are not what went in")
      exit(1)
    }
    report = """
      {"megabytes_per_second": \(Double(passes * input.count) / elapsed / 1e6), \
      "ns_per_message": \(elapsed * 1e9 / Double(tally.messages))}
      """
  }

  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
