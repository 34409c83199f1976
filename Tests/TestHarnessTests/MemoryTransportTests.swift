import AsyncSockets
import TestHarness
import Testing

@Suite("A transport in memory")
struct MemoryTransportTests {
  private func write(_ bytes: [UInt8], to transport: some Transport) -> TransportResult {
    unsafe transport.write(bytes.span.bytes)
  }

  private func read(_ count: Int = 100, from transport: some Transport) -> (TransportResult, [UInt8]) {
    var memory = [UInt8](repeating: 0, count: count)
    var span = memory.mutableSpan
    var bytes = unsafe span.mutableBytes
    let result = transport.read(into: &bytes)
    if case .bytes(let count) = result { return (result, Array(memory.prefix(count))) }
    return (result, [])
  }

  @Test("holds what it may hold and no more, and tells once when there is room")
  func capacity() {
    let (one, other) = MemoryTransport.pair(capacity: 4)
    let news = Lock<[TransportReadiness]>([])
    one.notifyReadiness { what in news.withLock { $0.append(what) } }
    #expect(write([1, 2, 3, 4, 5, 6], to: one) == .bytes(4))
    #expect(write([5, 6], to: one) == .wouldBlock(.write))
    #expect(other.unreadBytes == 4)
    #expect(read(2, from: other) == (.bytes(2), [1, 2]))
    #expect(read(1, from: other) == (.bytes(1), [3]))
    #expect(news.withLock { $0 } == [.write])
    #expect(write([5, 6, 7, 8], to: one) == .bytes(3))
    #expect(read(from: other) == (.bytes(4), [4, 5, 6, 7]))
    #expect(read(from: other).0 == .wouldBlock(.read))
  }

  @Test(
    "tells one call of a reset, after what had arrived, and then an end or a broken pipe, as a kernel does")
  func reset() {
    let (one, other) = MemoryTransport.pair()
    let news = Lock<[TransportReadiness]>([])
    other.notifyReadiness { what in news.withLock { $0.append(what) } }
    #expect(write([1], to: one) == .bytes(1))
    one.close(abortively: true)
    #expect(news.withLock { $0 } == [[.read, .write, .final]])
    #expect(read(from: other) == (.bytes(1), [1]))
    #expect(read(from: other).0 == .failed(Errno(rawValue: 104)))
    #expect(read(from: other).0 == .end)
    #expect(write([1], to: other) == .failed(Errno(rawValue: 32)))
  }

  @Test("is reset by a close with bytes unread, and ends by one without")
  func close() {
    for hasUnread in [true, false] {
      let (one, other) = MemoryTransport.pair()
      if hasUnread { #expect(write([1], to: other) == .bytes(1)) }
      one.close(abortively: false)
      #expect(read(from: other).0 == (hasUnread ? .failed(Errno(rawValue: 104)) : .end))
    }
  }

  @Test("is reset by the network after so many bytes, at both ends", arguments: [0, 1, 10])
  func resetByNetwork(limit: Int) {
    let (one, other) = MemoryTransport.pair(resetAfter: limit)
    if limit > 0 { #expect(write([UInt8](repeating: 7, count: 20), to: one) == .bytes(limit)) }
    #expect(write([1], to: one) == .failed(Errno(rawValue: 104)))
    if limit > 0 { #expect(read(from: other).0 == .bytes(limit)) }
    #expect(read(from: other).0 == .failed(Errno(rawValue: 104)))
  }

  @Test("with faults moves bytes in pieces, and in the same ones for the same seed")
  func seeds() {
    func trace(_ seed: UInt64) -> [TransportResult] {
      let (one, other) = MemoryTransport.pair()
      let faulty = FaultyTransport(over: one, TransportFaults(seed: seed))
      return (0..<200).map { number in
        if number % 2 == 0 { return write([UInt8](repeating: 7, count: 50), to: faulty) }
        _ = write([1, 2, 3], to: other)
        return read(3, from: faulty).0
      }
    }
    #expect(trace(1) == trace(1))
    #expect(trace(1) != trace(2))
    #expect(Set(trace(1)).isSuperset(of: [.bytes(1), .wouldBlock(.read), .wouldBlock(.write)]))
  }

  @Test("with faults reads without waiting what it has counted")
  func counted() {
    let (one, other) = MemoryTransport.pair()
    let faulty = FaultyTransport(over: one, TransportFaults(seed: 1, blockingInterval: 2))
    #expect(write([UInt8](repeating: 7, count: 100), to: other) == .bytes(100))
    var left = faulty.unreadBytes
    while left > 0 {
      guard case .bytes(let count) = read(from: faulty).0 else {
        Issue.record("it would block with \(left) of the bytes left")
        return
      }
      left -= count
    }
  }
}
