/// What the kernel knows of a TCP connection's path: `TCP_INFO` of tcp(7).
///
/// Kernels differ in how much they tell; what an older one does not fill is `nil`.
public struct TCPInfo: Hashable, Sendable {
  /// Where the connection is in its life (RFC 9293 §3.3.2).
  public enum State: UInt8, Hashable, Sendable {
    /// Data flows both ways.
    case established = 1
    /// Our SYN is out.
    case synSent
    /// The peer's SYN has come.
    case synReceived
    /// Our FIN is out.
    case finWait1
    /// Our FIN is acknowledged; the peer has not ended.
    case finWait2
    /// Both have ended; late packets are waited for.
    case timeWait
    /// It is over.
    case closed
    /// The peer has ended; we have not.
    case closeWait
    /// The peer has ended, and our FIN is out.
    case lastAck
    /// It listens.
    case listen
    /// Both FINs crossed.
    case closing
  }

  /// The state; `nil` for one that this library does not know.
  public let state: State?
  /// How often the packet at the head of the line has been sent again without an answer.
  public let retransmits: Int
  /// How long the kernel waits for an acknowledgement before it sends again.
  public let retransmissionTimeout: Duration
  /// The largest segment that is sent, in bytes.
  public let sendSegmentSize: Int
  /// Segments sent and not acknowledged.
  public let unacknowledgedSegments: Int
  /// Segments thought to be lost.
  public let lostSegments: Int
  /// The smoothed round-trip time.
  public let roundTripTime: Duration
  /// How much the round-trip time varies.
  public let roundTripTimeVariance: Duration
  /// How many segments may be under way.
  public let congestionWindow: Int
  /// Segments sent more than once since the connection began.
  public let totalRetransmits: Int
  /// The largest packet that the path takes, in bytes.
  public let pathMTU: Int
  /// Bytes of ours that the peer has acknowledged (Linux 4.1).
  public let bytesAcknowledged: UInt64?
  /// Bytes of the peer's that have been received in order (Linux 4.1).
  public let bytesReceived: UInt64?
  /// Bytes in the kernel's buffer that have never been sent (Linux 4.6).
  public let unsentBytes: Int?
  /// The least round-trip time lately (Linux 4.6).
  public let minimumRoundTripTime: Duration?
  /// The rate at which bytes have lately reached the peer, per second (Linux 4.9).
  public let deliveryRate: UInt64?
  /// Bytes sent more than once (Linux 4.19).
  public let bytesRetransmitted: UInt64?

  /// Enough for every field above.
  static let size = 256
  /// What every kernel since 2.6 fills.
  private static let leastSize = 104

  /// Reads as much of `struct tcp_info` as the kernel has filled; `nil` when that is too little.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count >= Self.leastSize else { return nil }
    func field<Number: FixedWidthInteger>(_ offset: Int, as _: Number.Type) -> Number? {
      let size = MemoryLayout<Number>.size
      guard offset + size <= bytes.count else { return nil }
      // The processors that Linux runs Swift on are little-endian.
      return bytes[bytes.startIndex + offset..<bytes.startIndex + offset + size].reversed()
        .reduce(0) { $0 << 8 | Number($1) }
    }
    func word(_ offset: Int) -> Int { Int(field(offset, as: UInt32.self) ?? 0) }
    func laterWord(_ offset: Int) -> UInt32? { field(offset, as: UInt32.self) }
    func long(_ offset: Int) -> UInt64? { field(offset, as: UInt64.self) }
    state = State(rawValue: bytes[bytes.startIndex])
    retransmits = Int(bytes[bytes.startIndex + 2])
    retransmissionTimeout = .microseconds(word(8))
    sendSegmentSize = word(16)
    unacknowledgedSegments = word(24)
    lostSegments = word(32)
    pathMTU = word(60)
    roundTripTime = .microseconds(word(68))
    roundTripTimeVariance = .microseconds(word(72))
    congestionWindow = word(80)
    totalRetransmits = word(100)
    bytesAcknowledged = long(120)
    bytesReceived = long(128)
    unsentBytes = laterWord(144).map(Int.init)
    minimumRoundTripTime = laterWord(148).map { .microseconds(Int($0)) }
    deliveryRate = long(160)
    bytesRetransmitted = long(208)
  }
}
