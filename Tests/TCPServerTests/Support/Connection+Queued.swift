import AsyncSockets

extension Connection {
  /// Bytes that were accepted and that the kernel has not taken.
  var queued: UInt64 { snapshot.bytesQueued }
}
