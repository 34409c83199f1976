import Framing

// What a client that reconnects needs to know of its connections, and to do with them.

extension Connection {
  /// Has `notice` called once, on the loop, when bytes are read from now on, or if some lie ready. For whoever alone has
  /// the connection.
  package func onInput(_ notice: @escaping @Sendable () -> Void) { core.awaitInput(notice) }

  /// Goes on with a codec, and has `notice` called once, by whoever reads the first frame.
  package func framed<F: Framing>(
    _ framing: F, onFirstFrame notice: @escaping @Sendable () -> Void
  ) -> FramedConnection<F> {
    core.changeSettings { $0.with(onInput: .firstFrame(notice)) }
    return FramedConnection(
      self, decoder: framing.makeDecoder(), encoder: framing.makeEncoder(), phase: .awaitsFirstFrame)
  }

  /// Ends the connection for a cause of its own, by a reset: whoever waits, and whoever comes, is told `error`.
  package func end(with error: SocketError, reason: CloseReason) { core.end(with: error, reason: reason) }

  /// Why it ends, unless something else ended it before. It goes on until somebody closes it.
  package func note(_ reason: CloseReason) { core.state.withLock { $0.noteReason(reason) } }

  /// Closes for a cause of its own: output is flushed for at most a second. Cancelled, it does not wait for the peer.
  package func close(reason: CloseReason) async {
    await core.close(flushLimit: .seconds(1), reason: reason, isCancellable: true)
  }

  /// How much has arrived, read or not. Asks the kernel.
  package var arrivedInput: ArrivedInput {
    core.state.withLock { state in
      let unread = state.phase == .open ? state.endpoint.unreadBytes(kernel: core.core.kernel) : 0
      return ArrivedInput(bytesRead: state.bytesRead, unread: unread)
    }
  }
}

extension ConnectionCore {
  fileprivate func awaitInput(_ notice: @escaping @Sendable () -> Void) {
    if (try? reading.claim(for: "onInput")) != nil {
      defer { reading.release() }
      if !reading.contents.buffer.isEmpty { return core.performLater(.call(notice)) }
    }
    changeSettings { $0.with(onInput: .bytes(notice)) }
    state.withLock { $0.awaitsInput = true }
  }

  /// Bytes have been read; with the lock held.
  @inline(never)
  func noteInput(_ state: inout ConnectionState) {
    state.awaitsInput = false
    if case .bytes(let notice) = state.settings.onInput { core.performLater(.call(notice)) }
  }

  func tellOfFirstFrame() {
    if case .firstFrame(let notice) = state.withLock({ $0.settings.onInput }) { notice() }
  }
}
