import Testing

@testable import AsyncSockets

@Suite("The memory of an idle connection")
struct MemoryTests {
  /// Malloc hands out blocks of 24, 40, 56 … bytes. Who adds a field finds here what it costs each of many thousand
  /// connections; room that alignment leaves costs nothing.
  @Test("is that of three objects, none larger than its block")
  func sizes() {
    #expect(instanceSize(of: ConnectionCore.self) <= 312)
    #expect(MemoryLayout<ReaderSlot.Contents>.size <= 72)
    #expect(instanceSize(of: Connection.self) <= 24)
  }
}

/// What the runtime allocates for an object: the instance size in its class's metadata.
private func instanceSize(of type: AnyClass) -> UInt32 {
  unsafe unsafeBitCast(type, to: UnsafePointer<UInt32>.self)[6]
}
