/// What travels in one direction of a connection through a fault proxy.
enum Parcel: Equatable, Sendable {
  case bytes(ArraySlice<UInt8>)
  /// The sender has ended its stream.
  case end
  /// The sender has failed.
  case reset
  /// A fault ends the connection in good order.
  case close

  var byteCount: Int {
    if case .bytes(let bytes) = self { bytes.count } else { 0 }
  }
}
