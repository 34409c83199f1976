import Framing

extension ConnectionCore {
  /// What one read came to, and the write of what it gave.
  private enum ForwardStep {
    /// The destination has accepted them.
    case forwarded(Int)
    /// Read, and the destination makes its senders queue.
    case held([UInt8])
    case refused(SocketError)
    case end
    case wouldBlock
    case yield
  }

  /// Passes on what arrives until this side's stream ends, and then its end. For the holder of the claim.
  func forward(to destination: ConnectionCore) async -> ForwardedStream {
    var stream = ForwardedStream()
    do throws(ForwardingFailure) {
      var held = reading.contents.buffer.takeAll()
      reading.contents.message = .none
      while true {
        if !held.isEmpty {
          try await destination.accept(held)
          stream.bytes += UInt64(held.count)
          held = []
        }
        switch try forwardOnce(to: destination) {
        case .forwarded(let count): stream.bytes += UInt64(count)
        case .held(let bytes): held = bytes
        case .refused(let error): throw .destination(error)
        case .end:
          try await destination.acceptEnd()
          return stream
        case .wouldBlock: try await waitForInput()
        case .yield: try await waitForTurn()
        }
        // Nothing is read for a destination that still has something to write.
        try await destination.untilWritten()
      }
    } catch {
      stream.ending = error.ending
    }
    return stream
  }

  /// From this side's memory for received bytes straight into the other's transport.
  @inline(never)
  private func forwardOnce(to destination: ConnectionCore) throws(ForwardingFailure) -> ForwardStep {
    var step = ForwardStep.wouldBlock
    do throws(SocketError) {
      let read = try unsafe receive(atMost: ScratchBuffer.size) { bytes in
        step = unsafe destination.forwarded(bytes)
      }
      switch read {
      case .bytes: return step
      case .end, .drained: return .end
      case .wouldBlock: return .wouldBlock
      case .yield: return .yield
      }
    } catch {
      throw .source(error)
    }
  }

  private func forwarded(_ bytes: UnsafeRawBufferPointer) -> ForwardStep {
    do throws(SocketError) {
      let step = try offer(count: bytes.count, holdsTurn: false, isUrgent: true) { output, start in
        unsafe output.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
      } write: { state throws(SocketError) in
        try noteWritten(
          unsafe state.endpoint.write(bytes, loop: core), of: bytes.count, &state)
      }
      if case .mustWait = step { return unsafe .held([UInt8](bytes)) }
      return .forwarded(bytes.count)
    } catch {
      return .refused(error)
    }
  }
}

// MARK: - Waiting, with the side that is to blame when it fails

private enum ForwardingFailure: Error {
  case source(SocketError)
  case destination(SocketError)

  var ending: ForwardedStream.Ending {
    switch self {
    case .source(let error): .sourceFailed(error)
    case .destination(let error): .destinationFailed(error)
    }
  }
}

extension ConnectionCore {
  private func waitForInput() async throws(ForwardingFailure) {
    do { try await waitReadable(deadline: .never, operation: "relay") } catch { throw .source(cause(error)) }
  }

  private func waitForTurn() async throws(ForwardingFailure) {
    do { try await yieldTurn(deadline: .never, operation: "relay") } catch { throw .source(cause(error)) }
  }

  private func accept(_ bytes: [UInt8]) async throws(ForwardingFailure) {
    do {
      try await send { holdsTurn in try trySend(bytes, holdsTurn: holdsTurn) }
    } catch {
      throw .destination(cause(error))
    }
  }

  private func acceptEnd() async throws(ForwardingFailure) {
    do { try await finishWriting() } catch { throw .destination(cause(error)) }
  }

  private func untilWritten() async throws(ForwardingFailure) {
    do { try await flush() } catch { throw .destination(cause(error)) }
  }

  /// A relay that is cancelled closes both sides by itself.
  private func cause(_ error: any Error) -> SocketError { error as? SocketError ?? .closed }
}
