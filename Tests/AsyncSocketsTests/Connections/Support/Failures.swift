import AsyncSockets

/// What `body` throws; `nil` if it returns.
func failure<Result>(of body: () async throws -> Result) async -> (any Error)? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error
  }
}

/// The socket error that `body` throws; `nil` if it returns or throws something else.
func socketError<Result>(of body: () async throws -> Result) async -> SocketError? {
  await failure(of: body) as? SocketError
}

extension SocketError {
  var isReset: Bool { if case .reset = self { true } else { false } }
  var isBusy: Bool { if case .busy = self { true } else { false } }
  var isTimedOut: Bool { if case .timedOut = self { true } else { false } }
  var isInvalid: Bool { if case .invalid = self { true } else { false } }

  /// The peer is gone: by a reset, or as a broken pipe tells a writer.
  var tellsOfPeerGone: Bool {
    switch self {
    case .reset: true
    case .failed(let errno, _, _): errno.name == "EPIPE"
    default: false
    }
  }
}

extension Connection {
  /// So many bytes, no more and no less; fewer if the stream ends.
  func receive(exactly count: Int) async throws -> [UInt8] {
    var received: [UInt8] = []
    while received.count < count, let chunk = try await read(atMost: count - received.count) {
      received += chunk
    }
    return received
  }

  /// Everything up to the end of the stream.
  func receiveToEnd() async throws -> [UInt8] {
    var received: [UInt8] = []
    for try await chunk in inbound { received += chunk }
    return received
  }
}
