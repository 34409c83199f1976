extension Connection {
  /// The limits that are in force now.
  public var limits: ConnectionLimits { core.state.withLock { $0.settings.options.limits } }

  /// Changes the limits of this connection, at once for whoever waits on it:
  ///
  /// ```swift
  /// var limits = connection.limits
  /// limits.idle = .seconds(600)                   // now that we know who it is
  /// try connection.set(limits)
  /// ```
  ///
  /// From then on they are its own, and no longer those of its server when that changes its own. A time that has passed
  /// already ends the connection, now or when somebody next waits on it; another minimum rate counts from now on.
  ///
  /// - Throws: `SocketError.invalid` for values that cannot work; the limits stay as they were.
  public func set(_ limits: ConnectionLimits) throws(SocketError) {
    try limits.validate()
    core.changeSettings { $0.with(limits, areOwn: true) }
  }

  /// What the server's admission called the connection, for events and logs; `nil` if nothing.
  public var tag: String? { core.state.withLock { $0.settings.tag } }

  /// Gives the connection a tag, and if wanted options of its own.
  package func set(_ options: ConnectionOptions?, tag: String?) throws(SocketError) {
    for option in options?.socketOptions ?? [] { try set(option) }
    core.changeSettings { old in
      ConnectionSettings(
        options: options ?? old.options, localAddress: old.localAddress, tag: tag,
        hasOwnLimits: old.hasOwnLimits || options != nil, onInput: old.onInput, loans: old.loans)
    }
  }
}

extension Connection {
  /// Whether the peer has reset it and left nothing to be read. Asks the kernel only when the loop has heard of an end.
  package var isDead: Bool {
    core.state.withLock { state in
      if state.phase != .open { return true }
      guard state.readiness.isFinal, let number = state.endpoint.descriptorNumber,
        state.endpoint.unreadBytes(kernel: core.core.kernel) == 0
      else { return false }
      // The kernel tells of it once.
      let error = core.core.kernel.pendingError(number)
      if error < 0 { _ = state.fail(Errno(Int32(-error)), call: "recv", peer: peerAddress) }
      return state.failure != nil
    }
  }
}

/// Settings before and after a change: the next connection nearly always has the same.
package struct ConnectionSettingsChange {
  private let limits: ConnectionLimits
  private var last: (before: ConnectionSettings, after: ConnectionSettings)?

  /// From whatever limits to these.
  package init(to limits: ConnectionLimits) { self.limits = limits }

  fileprivate mutating func apply(to settings: ConnectionSettings) -> ConnectionSettings {
    if settings.hasOwnLimits || settings.options.limits == limits { return settings }
    if let last, last.before === settings { return last.after }
    let after = settings.with(limits, areOwn: false)
    last = (settings, after)
    return after
  }
}

extension Connection.Handle {
  package var tag: String? { core.state.withLock { $0.settings.tag } }

  /// The server's limits have changed. Those that were set for this connection stay.
  package func follow(_ change: inout ConnectionSettingsChange) {
    core.changeSettings { change.apply(to: $0) }
  }
}

extension ConnectionCore {
  func changeSettings(_ change: (ConnectionSettings) -> ConnectionSettings) {
    let ready = state.withLock { state -> [WakeContinuation] in
      let before = state.settings
      state.settings = change(before)
      guard state.phase != .closed, state.settings !== before else { return [] }
      if before.options.limits.minimumRate != state.settings.options.limits.minimumRate {
        let bytesRead = state.bytesRead
        state.message?.pace.beginPeriod(core.now, bytesRead: bytesRead)
      }
      watchLimits(&state)
      armStallWatch(&state)
      return state.takeReadyWriters()
    }
    Self.resume(ready)
  }
}
