/// What travels between two ends of a connection.
enum SimulatedPacket {
  /// Asks for a connection (SYN).
  case request
  /// The connection is there.
  case accepted
  /// Nobody listens there.
  case refused
  case data([UInt8])
  case end
  case reset
  /// So many bytes have been read.
  case room(Int)
  /// What has been sent has come. Under way it takes no packet of its own, only where it is held back.
  case acknowledgement

  /// Bytes on the wire, with 40 for the headers.
  var size: Int {
    switch self {
    case .data(let bytes): 40 + bytes.count
    default: 40
    }
  }
}

/// What will happen in the network at a certain time.
enum NetworkEvent {
  case arrival(SimulatedPacket, from: Int)
  /// A packet of this end was sent that long ago, and if it is still held back, TCP gives up.
  case impatience(stream: Int, packet: Int)
  /// Whether the other side of a connection is still there may have to be probed.
  case probe(stream: Int)
}
