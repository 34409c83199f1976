/// Passes bytes between two connections, both ways, until both have ended their streams: a proxy.
///
/// ```swift
/// let report = try await relay(client, upstream)
/// ```
///
/// - Bytes that were received before and not yet read go first.
/// - The end of one side's stream is passed on to the other when all its bytes are; the other direction goes on. When
///   both have ended, the connections are left to whoever closes them.
/// - A side that fails (a reset, a limit) has what it sent before passed on as far as the kernel takes it at once; then
///   the other is reset, so that nobody takes a broken stream for a whole one.
/// - While one side takes nothing, nothing is read from the other: at most 64 KiB are held for each direction.
/// - Cancelled, it resets both at once.
///
/// Nobody else may read from either meanwhile; sending is possible, between the relayed bytes. The work is done on the
/// connections' event loops, whatever task calls.
///
/// - Parameters:
///   - first: a connection, such as a client's.
///   - second: another one, over any transport.
/// - Returns: how many bytes came from each side, and how each ended.
/// - Throws: `CancellationError`; `SocketError.busy` while a task reads from one of them, and `.invalid` for a
///   connection with itself, in which cases nothing has happened to them.
public func relay(_ first: Connection, _ second: Connection) async throws -> RelayReport {
  let sides = [first.core, second.core]
  guard sides[0] !== sides[1] else {
    throw SocketError.invalid("a relay needs two connections, not the same one twice")
  }
  try sides[0].reading.claim(for: "relay")
  defer { sides[0].reading.release() }
  try sides[1].reading.claim(for: "relay")
  defer { sides[1].reading.release() }

  let endings = await withTaskCancellationHandler {
    await withTaskGroup(of: (Int, ForwardedStream).self) { group in
      for (number, side) in sides.enumerated() {
        group.addTask(executorPreference: side.core) {
          (number, await side.forward(to: sides[1 - number]))
        }
      }
      var endings = RelayEndings()
      for await (number, stream) in group {
        if endings.note(stream, from: number) { for side in sides { side.abort() } }
      }
      return endings
    }
  } onCancel: {
    for side in sides { side.abort(reason: .cancelled) }
  }
  try CurrentTask.checkCancellation()
  return endings.report
}
