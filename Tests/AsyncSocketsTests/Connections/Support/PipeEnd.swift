import AsyncSockets

/// One end of a pipe in memory that holds a number of bytes each way.
final class PipeEnd: Transport {
  private struct Stream {
    var bytes: [UInt8] = []
    var hasEnded = false
    var readerNews: (@Sendable (TransportReadiness) -> Void)?
    var writerNews: (@Sendable (TransportReadiness) -> Void)?
  }

  private final class Direction: Sendable {
    let stream = Lock(Stream())
  }

  private let incoming: Direction
  private let outgoing: Direction
  private let capacity: Int

  private init(incoming: Direction, outgoing: Direction, capacity: Int) {
    self.incoming = incoming
    self.outgoing = outgoing
    self.capacity = capacity
  }

  static func pair(capacity: Int) -> (PipeEnd, PipeEnd) {
    let (one, other) = (Direction(), Direction())
    return (
      PipeEnd(incoming: one, outgoing: other, capacity: capacity),
      PipeEnd(incoming: other, outgoing: one, capacity: capacity)
    )
  }

  func read(into buffer: inout MutableRawSpan) -> TransportResult {
    let size = buffer.byteCount
    let (taken, hasEnded, news) = incoming.stream.withLock { stream in
      let taken = Array(stream.bytes.prefix(size))
      stream.bytes.removeFirst(taken.count)
      return (taken, stream.hasEnded, stream.writerNews)
    }
    if taken.isEmpty { return hasEnded ? .end : .wouldBlock(.read) }
    for (index, byte) in taken.enumerated() {
      buffer.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    news?(.write)
    return .bytes(taken.count)
  }

  func write(_ bytes: RawSpan) -> TransportResult {
    let (count, news) = outgoing.stream.withLock { stream in
      let count = min(bytes.byteCount, capacity - stream.bytes.count)
      stream.bytes += (0..<count).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
      return (count, stream.readerNews)
    }
    if count == 0 { return .wouldBlock(.write) }
    news?(.read)
    return .bytes(count)
  }

  func shutdownWrite() -> TransportResult {
    end(outgoing)
    return .bytes(0)
  }

  func close(abortively: Bool) {
    end(outgoing)
    end(incoming)
  }

  private func end(_ direction: Direction) {
    let news = direction.stream.withLock { stream in
      stream.hasEnded = true
      return stream.readerNews
    }
    news?([.read, .final])
  }

  var unreadBytes: Int { incoming.stream.withLock { $0.bytes.count } }

  func notifyReadiness(_ notify: @escaping @Sendable (TransportReadiness) -> Void) {
    incoming.stream.withLock { $0.readerNews = notify }
    outgoing.stream.withLock { $0.writerNews = notify }
  }
}
