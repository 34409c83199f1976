/// Memory that received bytes pass through, so that no connection has to hold a buffer while it waits.
@safe
struct ScratchBuffer: ~Copyable, @unchecked Sendable {
  static let size = 65_536

  let bytes: UnsafeMutableRawBufferPointer

  init() {
    unsafe bytes = .allocate(byteCount: Self.size, alignment: 64)
  }

  deinit {
    unsafe bytes.deallocate()
  }
}
