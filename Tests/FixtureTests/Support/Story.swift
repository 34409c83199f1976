import AsyncSockets
import TestHarness

/// What happened at a server, in short words.
struct Story {
  private(set) var words: [String] = []

  /// Reads events until one fits.
  static func of<F: Framing>(
    _ server: TestServer<F>, until isLast: (TestServer<F>.Event) -> Bool
  ) async throws -> [String] {
    try await withDeadline(.after(.seconds(60)), on: server.loop, operation: "the events") {
      var words: [String] = []
      for await event in server.events {
        words.append(word(event))
        if isLast(event) { return words }
      }
      return words + ["end"]
    }
  }

  static func word<F: Framing>(_ event: TestServer<F>.Event) -> String {
    switch event {
    case .listening: "listening"
    case .connected(let client): "connected \(client.id)"
    case .input(let client, let frame): "input \(client.id) \(frame)"
    case .flushed(let client): "flushed \(client.id)"
    case .disconnected(let client): "disconnected \(client.id)"
    case .listenerFailed: "listener failed"
    case .missed(let count): "missed \(count)"
    }
  }
}

extension TestServer {
  /// The events up to the end of so many clients, in short words.
  func story(untilDisconnected count: Int = 1) async throws -> [String] {
    var left = count
    return try await Story.of(self) { event in
      if case .disconnected = event { left -= 1 }
      return left == 0
    }
  }
}
