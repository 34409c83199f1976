import AsyncSockets

/// A listener as the verifier uses it: a `Listener`, or in the verifier's own tests one with a planted bug.
package protocol ListenerEnd: AnyObject, Sendable {
  func accept(on loop: EventLoop, options: ConnectionOptions) async throws -> Connection
  func close()
}

extension Listener: ListenerEnd {
  package func accept(on loop: EventLoop, options: ConnectionOptions) async throws -> Connection {
    try await accept(on: loop, options: options, deadline: .never)
  }
}
