import CLinux
import Glibc

// MARK: Sending

extension BlockingPeer {
  /// Sends everything.
  public func send(_ bytes: [UInt8]) throws {
    try send(bytes[...])
  }

  /// Sends everything.
  public func send(_ text: String) throws {
    try send(Array(text.utf8))
  }

  /// Sends `bytes` in writes of these sizes, each a segment of its own, and the rest in one more.
  public func send(_ bytes: [UInt8], pieces: [Int]) throws {
    var rest = bytes[...]
    for size in pieces where !rest.isEmpty {
      try send(rest.prefix(size))
      rest = rest.dropFirst(size)
    }
    try send(rest)
  }

  /// Sends what fits into the kernel's buffers now, and tells how much that was.
  public func sendWithoutWaiting(_ bytes: [UInt8]) throws -> Int {
    while true {
      let sent = write(bytes[...])
      if sent >= 0 { return sent }
      switch errno {
      case EAGAIN: return 0
      case EINTR: continue
      default: throw PeerError.last("send")
      }
    }
  }

  private func send(_ bytes: ArraySlice<UInt8>) throws {
    var rest = bytes
    while !rest.isEmpty {
      let wait = Wait(for: "room to send \(rest.count) of \(bytes.count) bytes", patience: patience)
      let sent = try wait.retrying("send", on: descriptor, POLLOUT) { write(rest) }
      rest = rest.dropFirst(sent)
    }
  }

  private func write(_ bytes: ArraySlice<UInt8>) -> Int {
    unsafe bytes.withUnsafeBytes {
      unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    }
  }
}

// MARK: Receiving

extension BlockingPeer {
  /// How a stream came to its end.
  public enum Ending: Sendable {
    /// An orderly end of stream.
    case end
    /// A reset.
    case reset
  }

  /// What there is, waiting for the first byte; empty at the end of the stream.
  public func receive(atMost count: Int) throws -> [UInt8] {
    try receive(atMost: count, for: "input")
  }

  /// So many bytes, no more and no less.
  public func receive(exactly count: Int) throws -> [UInt8] {
    var received: [UInt8] = []
    while received.count < count {
      let what = "byte \(received.count + 1) of \(count)"
      let bytes = try receive(atMost: count - received.count, for: what)
      if bytes.isEmpty { throw PeerError.ended(waitingFor: what, received: received) }
      received += bytes
    }
    return received
  }

  /// A line, and not a byte beyond it. Only the line feed counts as terminator: a carriage return shows.
  public func receiveLine(keepingTerminator: Bool = false) throws -> String {
    let lineFeed = UInt8(ascii: "\n")
    var line: [UInt8] = []
    while line.last != lineFeed {
      // Looks before it takes, so that what follows the line stays in the kernel for the next call.
      let ahead = try receive(atMost: 4096, for: "a line", flags: MSG_PEEK)
      if ahead.isEmpty { throw PeerError.ended(waitingFor: "a line", received: line) }
      line += try receive(atMost: ahead.firstIndex(of: lineFeed).map { $0 + 1 } ?? ahead.count, for: "a line")
    }
    return String(decoding: keepingTerminator ? line[...] : line.dropLast(), as: UTF8.self)
  }

  /// Everything up to the end of the stream; throws if the connection is reset.
  public func receiveToEnd() throws -> [UInt8] {
    let (bytes, ending) = try receiveToEnding()
    guard ending == .end else { throw PeerError.failed(call: "recv", errno: ECONNRESET) }
    return bytes
  }

  /// Everything that comes until the other side ends or resets the connection, and which of them it did.
  public func receiveToEnding() throws -> (bytes: [UInt8], ending: Ending) {
    var received: [UInt8] = []
    do {
      while true {
        let bytes = try receive(atMost: .max, for: "the end of the stream, after \(received.count) bytes")
        if bytes.isEmpty { return (received, .end) }
        received += bytes
      }
    } catch let error as PeerError where error.isReset {
      return (received, .reset)
    }
  }

  private func receive(
    atMost count: Int, for what: @autoclosure () -> String, flags: Int = 0
  ) throws -> [UInt8] {
    let wait = Wait(for: what(), patience: patience)
    return try unsafe [UInt8](unsafeUninitializedCapacity: min(count, 1 << 18)) { buffer, initializedCount in
      initializedCount = try wait.retrying("recv", on: descriptor, POLLIN) {
        unsafe recv(descriptor, buffer.baseAddress, buffer.count, Int32(flags | MSG_DONTWAIT))
      }
    }
  }
}
