import Framing

/// A decoder that whoever has claimed the connection's reading may use.
@safe
@usableFromInline
struct DecoderSlot<Decoder: FrameDecoder>: ~Copyable, @unchecked Sendable {
  @usableFromInline let storage: UnsafeMutablePointer<Decoder>

  init(_ decoder: Decoder) {
    unsafe storage = .allocate(capacity: 1)
    unsafe storage.initialize(to: decoder)
  }

  @inlinable
  deinit {
    unsafe storage.deinitialize(count: 1)
    unsafe storage.deallocate()
  }

  @inlinable
  var value: Decoder {
    unsafeAddress { unsafe UnsafePointer(storage) }
    nonmutating unsafeMutableAddress { unsafe storage }
  }
}
