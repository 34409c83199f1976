import Framing

// What a client that reconnects needs to know of its connections, and to do with them.

extension Connection {
  /// Has `notice` called once, when bytes have next been read: on the loop, soon after.
  package func onInput(_ notice: @escaping @Sendable () -> Void) {
    core.changeSettings { $0.with(onInput: notice) }
    core.state.withLock { $0.isWatched = true }
  }

  /// Goes on with a codec, and has `notice` called once, by whoever reads the first frame.
  package func framed<F: Framing>(
    _ framing: F, onFirstFrame notice: @escaping @Sendable () -> Void
  ) -> FramedConnection<F> {
    core.changeSettings { $0.with(onInput: notice) }
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

  /// Whether something may have arrived that nobody has read yet.
  package var mayHaveUnreadInput: Bool {
    core.state.withLock { $0.reader == nil && $0.readiness.canRead }
  }
}

extension ConnectionCore {
  /// Bytes have been read for the first time since somebody asked; with the lock held.
  @inline(never)
  func noteInput(_ state: inout ConnectionState) {
    state.isWatched = false
    if let notice = state.settings.onInput { core.performLater(.call(notice)) }
  }

  func tellOfInput() { state.withLock { $0.settings.onInput }?() }
}
