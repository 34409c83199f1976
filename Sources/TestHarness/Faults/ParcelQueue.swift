import AsyncSockets

/// Parcels on their way, in order, with the times at which they came. Pure.
struct ParcelQueue {
  /// Many parcels of few bytes are to take no more memory than few of many.
  static let mostParcels = 4096

  private var parcels: [(parcel: Parcel, arrival: EventLoop.Instant)] = []
  private var start = 0
  private var byteCount = 0
  private let capacity: Int

  init(capacity: Int) { self.capacity = capacity }

  /// Whether it takes another parcel, whatever its size.
  var hasRoom: Bool { byteCount < capacity && parcels.count - start < Self.mostParcels }

  /// Whether it holds far more than it takes, which a fault that was removed has left to it.
  var isOverfull: Bool {
    byteCount >= capacity * 2 || parcels.count - start >= Self.mostParcels * 2
  }

  var first: (parcel: Parcel, arrival: EventLoop.Instant)? {
    start < parcels.count ? parcels[start] : nil
  }

  mutating func append(_ parcel: Parcel, at now: EventLoop.Instant) {
    byteCount += parcel.byteCount
    parcels.append((parcel, now))
  }

  mutating func popFirst() -> Parcel? {
    guard let (parcel, _) = first else { return nil }
    byteCount -= parcel.byteCount
    // It must not keep its bytes.
    parcels[start].parcel = .end
    start += 1
    if start * 2 > parcels.count {
      parcels.removeSubrange(..<start)
      start = 0
    }
    return parcel
  }

  /// The first parcel, or its first bytes where it has more than so many, at least 1; the rest stays.
  mutating func popFirst(atMost count: Int) -> Parcel? {
    guard case .bytes(let bytes)? = first?.parcel, bytes.count > count else { return popFirst() }
    parcels[start].parcel = .bytes(bytes.dropFirst(count))
    byteCount -= count
    return .bytes(bytes.prefix(count))
  }
}
