import AsyncSockets

/// One end of a stream as the verifier uses it: a `Connection`, or in the verifier's own tests one with a planted bug.
package protocol StreamEnd: AnyObject, Sendable {
  var closeReason: CloseReason? { get }
  var counters: Connection.Counters { get }
  /// What tasks are suspended in.
  var waits: [Connection.Wait] { get }

  func read(atMost limit: Int, deadline: Deadline) async throws -> [UInt8]?
  func send(_ bytes: [UInt8]) async throws
  func send(contentsOf parts: [[UInt8]]) async throws
  func flush() async throws
  func finishWriting() async throws
  func upgrade(_ wrap: (any Transport) throws -> any Transport) async throws
  func beginDrain()
  func close() async
  func close(after error: any Error) async
  func abort()
}

extension StreamEnd {
  func read(deadline: Deadline = .never) async throws -> [UInt8]? {
    try await read(atMost: 65_536, deadline: deadline)
  }

  /// Bytes that have been accepted and that the transport has not taken.
  var queued: Int {
    let counters = counters
    return Int(counters.bytesAccepted - counters.bytesWritten)
  }
}

extension Connection: StreamEnd {
  package var waits: [Wait] { snapshot.waits }
  package func beginDrain() { handle.beginDrain() }
}
