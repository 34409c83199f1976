/// Whether a system call is worth trying, per direction.
///
/// Edge-triggered epoll tells of each change once. A bit is set by an event and cleared by what would have
/// blocked. Data and the peer's FIN arrive as one event and no edge follows: so the news that the transport has
/// ended is kept (`isFinal`), and from then on nothing clears the bit for reading.
struct Readiness {
  private enum Ending { case none, ofPeer, ofBoth }

  private(set) var canRead = true
  private(set) var canWrite = true
  private var ending = Ending.none
  /// Not once the peer has sent urgent data: a read stops short of those, with more behind them.
  var shortReadMeansEmpty = true
  private var readAwaits = TransportReadiness.read
  private var writeAwaits = TransportReadiness.write

  var isFinal: Bool { ending != .none }
  /// Neither direction is left.
  var isHungUp: Bool { ending == .ofBoth }

  mutating func note(_ readiness: TransportReadiness) {
    if readiness.contains(.final), ending == .none { ending = .ofPeer }
    if readiness.contains(.hungUp) { ending = .ofBoth }
    if isFinal || !readiness.isDisjoint(with: readAwaits) { canRead = true }
    if isFinal || !readiness.isDisjoint(with: writeAwaits) { canWrite = true }
  }

  /// A read found nothing, or less than it asked for. `false`: try again, the end is still to be read.
  mutating func readWouldBlock(awaiting direction: TransportReadiness) -> Bool {
    guard !isFinal else { return false }
    canRead = false
    readAwaits = direction
    return true
  }

  mutating func writeWouldBlock(awaiting direction: TransportReadiness) {
    canWrite = false
    writeAwaits = direction
  }
}

extension TransportReadiness {
  @inline(__always)
  init(_ events: Epoll.Events) {
    self = []
    if events.contains(.readable) { insert(.read) }
    if events.contains(.writable) { insert(.write) }
    if !events.isDisjoint(with: [.peerEnded, .hangUp, .failed]) { insert([.final, .read]) }
    // A half-closed peer still takes bytes; a dead one answers a write with its error.
    if !events.isDisjoint(with: [.hangUp, .failed]) { formUnion([.write, .hungUp]) }
  }
}
