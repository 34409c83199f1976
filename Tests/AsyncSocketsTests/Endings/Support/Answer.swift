import AsyncSockets

/// What a call on a connection comes to.
enum Answer: Hashable, Sendable, CustomStringConvertible {
  case data(String)
  case end
  case done
  case reset
  case brokenPipe
  case closed
  case other(String)

  init(_ error: any Error) {
    switch error as? SocketError {
    case .reset: self = .reset
    case .closed, .finishedWriting: self = .closed
    case .failed(let errno, _, _) where errno.name == "EPIPE": self = .brokenPipe
    default: self = .other("\(error)")
    }
  }

  init(of body: () async throws -> Answer) async {
    do { self = try await body() } catch { self.init(error) }
  }

  var description: String {
    switch self {
    case .data(let text): "data \(text.debugDescription)"
    case .end: "end"
    case .done: "done"
    case .reset: "reset"
    case .brokenPipe: "broken pipe"
    case .closed: "closed"
    case .other(let error): error
    }
  }
}

extension Connection {
  func answerToRead() async -> Answer {
    await Answer {
      guard let chunk = try await read() else { return .end }
      return .data(String(decoding: chunk, as: UTF8.self))
    }
  }

  func answerToSend() async -> Answer {
    await Answer {
      try await send("x")
      try await flush()
      return .done
    }
  }

  func answerToFlush() async -> Answer {
    await Answer {
      try await flush()
      return .done
    }
  }

  func answerToFinish() async -> Answer {
    await Answer {
      try await finishWriting()
      return .done
    }
  }
}
