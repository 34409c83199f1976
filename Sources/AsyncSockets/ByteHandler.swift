public import Framing

/// A handler of a stream without frames: what has arrived is lent to it where it lies, and nothing is allocated.
///
/// ```swift
/// struct Echo: ByteHandler {
///   func received(_ bytes: RawSpan, _ context: borrowing HandlerContext<RawFraming>) throws {
///     try context.send(bytes)
///   }
/// }
/// try await server.run(handledBy: Echo(), framing: .raw)
/// ```
///
/// Otherwise it is a `ConnectionHandler` whose codec is `RawFraming`.
public protocol ByteHandler: ConnectionHandler where Codec == RawFraming {
  /// Bytes have arrived: at least one, at most 64 KiB, cut wherever the network cut them.
  ///
  /// - Parameter bytes: the loop's memory, lent for the time of this call.
  mutating func received(_ bytes: RawSpan, _ context: borrowing HandlerContext<RawFraming>) throws
}

extension ByteHandler {
  /// Lends the frame.
  @inlinable
  public mutating func received(_ frame: [UInt8], _ context: borrowing HandlerContext<RawFraming>) throws {
    try unsafe received(frame.span.bytes, context)
  }

  /// How drivers of such handlers call them; see `ConnectionHandler.reactions(ended:)`, in whose place it is called
  /// wherever the compiler knows that the handler takes bytes.
  @inlinable
  package static func reactions(
    ended: @escaping @Sendable (ConnectionDriver) -> Void
  ) -> ConnectionDriver.Reactions {
    ConnectionDriver.Reactions(
      react: { driver, occasion in
        let driver = unsafe unsafeDowncast(driver, to: HandlerDriver<Self>.self)
        try driver.react(to: occasion) { try driver.lendBytes($0) }
      }, ended: ended)
  }

  /// Reactions that tell before and after each of them, and of what references ask for.
  @inlinable
  package static func reactions(
    before: @escaping @Sendable (ConnectionDriver) -> Void,
    after: @escaping @Sendable (ConnectionDriver) -> Void,
    ended: @escaping @Sendable (ConnectionDriver) -> Void
  ) -> ConnectionDriver.Reactions {
    ConnectionDriver.Reactions(
      react: { driver, occasion in
        before(driver)
        defer { after(driver) }
        let driver = unsafe unsafeDowncast(driver, to: HandlerDriver<Self>.self)
        try driver.react(to: occasion) { try driver.lendBytes($0) }
      }, ended: ended, before: before, after: after)
  }
}

extension HandlerDriver where Handler: ByteHandler {
  @inlinable @inline(__always)
  func lendBytes(_ context: borrowing HandlerContext<RawFraming>) throws {
    while isReading {
      switch try core.lendBytes({
        core.reading.contents.budget.takeFrame()
        try handler.received($0, context)
      }) {
      case .bytes: continue
      case .end, .drained:
        inputHasEnded = true
        try handler.endOfInput(context)
      case .yield: return waitForTurn()
      case .wouldBlock: return waitForInput()
      }
    }
  }
}

extension ConnectionCore {
  /// Hands what has arrived to `body`, copied nowhere: on the loop, for the holder of the claim.
  @inlinable @inline(__always)
  func lendBytes(_ body: (RawSpan) throws -> Void) throws -> ReadStep {
    if !reading.contents.buffer.isEmpty {
      let bytes = reading.contents.buffer.takeAll()
      try unsafe body(bytes.span.bytes)
      return .bytes(bytes.count)
    }
    let step = try receiveToLend()
    if case .bytes(let count) = step { try body(unsafe scratch(count).bytes) }
    return step
  }

  @inline(never) @usableFromInline
  func receiveToLend() throws(SocketError) -> ReadStep {
    if reading.contents.hasEnded { return .end }
    let step = try unsafe receive(into: core.scratch.bytes, finishingFrame: false)
    if case .end = step { reading.contents.hasEnded = true }
    return step
  }

  @usableFromInline
  func scratch(_ count: Int) -> UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(rebasing: core.scratch.bytes[..<count])
  }
}
