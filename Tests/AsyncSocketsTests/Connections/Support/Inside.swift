import CLinux
import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

// What these tests know of a connection's inside: its descriptor, to ask the kernel behind the library's back,
// and who waits, so that a test can go on when somebody really waits and need not guess.

/// Sets the size of the kernel's output buffer, which the kernel doubles.
func setSendBuffer(of connection: Connection, to size: Int32) throws {
  let status = connection.core.withDescriptor { descriptor in
    var size = size
    return unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
  }
  guard status == 0 else { throw PeerError.failed(call: "setsockopt", errno: errno) }
}

/// How many bytes the kernel holds for a connection that has not read them.
func unreadInKernel(_ connection: Connection) -> Int {
  connection.core.withDescriptor { descriptor in
    var count: Int32 = 0
    return clinux_unread(descriptor, &count) == 0 ? Int(count) : -1
  } ?? -1
}

private func clinux_unread(_ descriptor: Int32, _ count: inout Int32) -> Int32 {
  unsafe clinux_unread_bytes(descriptor, &count)
}

/// The descriptor's number, or `nil` once it is closed.
func descriptorNumber(of connection: Connection) -> Int32? {
  connection.core.withDescriptor { $0 }
}

/// Whether a task is suspended in a read.
func hasReader(_ connection: Connection) -> Bool {
  connection.core.state.withLock { $0.reader != nil }
}

/// How many tasks are suspended in a send or a flush.
func waitingWriters(_ connection: Connection) throws -> Int {
  let writers = connection.core.state.withLock { $0.writers }
  let list = Mirror(reflecting: writers).children.first { $0.label == "waiters" }
  return try #require(list?.value as? [WriteWaiters.Waiter]).count
}

/// Waits until a task is suspended in a read.
func untilReading(_ connection: Connection) async throws {
  try await soon("somebody reads", on: connection.loop) { hasReader(connection) }
}

/// Waits until so many tasks are suspended in sends and flushes.
func untilWriting(_ connection: Connection, count: Int = 1) async throws {
  try await soon("\(count) wait to write", on: connection.loop) { try waitingWriters(connection) == count }
}

/// Waits for what a few turns of the loop will bring about, and so without a millisecond in between.
func soon(_ what: String, on loop: EventLoop, _ isMet: () throws -> Bool) async throws {
  for _ in 0..<20 {
    if try isMet() { return }
    await loop.nextTurn()
  }
  try await eventually(what, isMet)
}

extension Connection {
  /// Bytes that have been accepted and that the kernel has not taken.
  var queued: UInt64 { snapshot.bytesQueued }
}

/// Ends the direction towards a peer from its side.
func shutReceiving(_ peer: BlockingPeer) -> Bool {
  shutdown(peer.descriptor, Int32(SHUT_RD)) == 0
}

/// Whether a peer's socket holds bytes for it.
func hasInput(_ peer: BlockingPeer) -> Bool {
  var count: Int32 = 0
  return clinux_unread(peer.descriptor, &count) == 0 && count > 0
}
