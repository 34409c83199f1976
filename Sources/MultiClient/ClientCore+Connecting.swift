import AsyncSockets

// From a target to a connection, by callbacks of the loop: names first, then one address after the other.

extension ClientCore {
  /// A full accept queue of a Unix listener is looked at again after this time, as `Connector` does.
  private static var queueFullDelay: Duration { .milliseconds(10) }

  // MARK: Names

  func lookUp(_ member: Member<Handler>) {
    member.phase = .resolving
    switch local.value.names.find(member.target.host, for: member.id, loop.now) {
    case .known(let addresses): connect(member, to: addresses.map { $0.withPort(member.target.port ?? 0) })
    case .ask: ask(member.target.host)
    case .waits: break
    }
  }

  private func ask(_ name: String) {
    local.value.lookUps[name] = Errand(on: loop) { [self] in
      let answer: Result<[SocketAddress], any Error>
      do { answer = .success(try await resolver.resolve(name, port: 0)) } catch { answer = .failure(error) }
      post { $0.answered(name, answer) }
    }
  }

  private func answered(_ name: String, _ answer: Result<[SocketAddress], any Error>) {
    local.value.lookUps[name] = nil
    let (waiters, next) = local.value.names.answered(name, try? answer.get(), loop.now)
    if let next { ask(next) }
    for member in waiters.compactMap(member) {
      switch answer {
      case .success(let addresses):
        connect(member, to: addresses.map { $0.withPort(member.target.port ?? 0) })
      // It was cancelled for those who had waited before.
      case .failure(is CancellationError): lookUp(member)
      case .failure(let error):
        end(
          member,
          .failed(error as? SocketError ?? .unresolved(host: member.target.host, reason: "\(error)")))
      }
    }
  }

  func leaveLookUp(_ member: Member<Handler>) {
    let name = member.target.host
    if local.value.names.leave(name, member.id) { local.value.lookUps[name]?.cancel() }
  }

  // MARK: Addresses

  func connect(_ member: Member<Handler>, to addresses: [SocketAddress]) {
    guard !addresses.isEmpty else {
      return end(member, .failed(.unresolved(host: member.target.host, reason: "it has no address")))
    }
    member.beginning?.addresses = addresses.reversed()
    member.beginning?.failures = []
    attemptNext(member)
  }

  private func attemptNext(_ member: Member<Handler>) {
    guard let beginning = member.beginning else { return }
    guard let address = beginning.addresses.last else { return end(member, .failed(member.failure)) }
    beginning.sourcesTried = 0
    let now = loop.now
    // Each has its share of what is left, so that one which hears nothing leaves the others their time.
    if beginning.addresses.count > 1, let limit = member.timeouts.values.connect {
      let left = now.duration(to: member.marks.began.advanced(by: limit))
      beginning.nextStep = now.advanced(by: left / beginning.addresses.count)
    } else {
      beginning.nextStep = nil
    }
    attempt(member, address)
    if member.isConnecting { arm(member) }
  }

  private func attempt(_ member: Member<Handler>, _ address: SocketAddress) {
    guard let beginning = member.beginning else { return }
    noteDestination(address)
    let source = beginning.localAddress ?? local.value.rotation.next(for: address)
    if let source, source.family != address.family {
      return attemptFailed(
        member,
        .invalid("the local address, \(source), is not of the same family as \(address)"))
    }
    let attempt = ConnectAttempt(to: address, on: loop) { [self, id = member.id] in attemptIsReady(id) }
    member.phase = .connecting(attempt)
    beginning.attemptBegan = loop.exactNow
    note(
      attempt.begin(boundTo: source, options: configuration.connection.socketOptions, opener: opener),
      of: member, attempt)
  }

  private func attemptIsReady(_ id: ConnectionID) {
    guard let member = member(id), case .connecting(let attempt) = member.phase else { return }
    note(attempt.result(), of: member, attempt)
  }

  /// Goes on with a member whose time has come: its crowded listener, or the next address.
  func goOn(_ member: Member<Handler>) {
    switch member.phase {
    case .crowded(let attempt):
      member.phase = .connecting(attempt)
      note(attempt.connect(), of: member, attempt)
    case .connecting(let attempt):
      attempt.close()
      attemptFailed(member, .timedOut(operation: "connect \(attempt.address)"))
    case .waiting, .resolving, .open, .over: break
    }
  }

  private func note(
    _ outcome: ConnectAttempt.Outcome, of member: Member<Handler>, _ attempt: ConnectAttempt
  ) {
    switch outcome {
    case .pending: noteSupply(member, attempt.address)
    case .queueFull:
      member.phase = .crowded(attempt)
      member.beginning?.nextStep = loop.now.advanced(by: Self.queueFullDelay)
      arm(member)
    case .connected:
      noteSupply(member, attempt.address)
      establish(member, attempt)
    case .failed(let error): attemptFailed(member, error)
    }
  }

  private func attemptFailed(_ member: Member<Handler>, _ error: SocketError) {
    guard let beginning = member.beginning, let address = beginning.addresses.last else { return }
    // Nothing is left to close.
    member.phase = .resolving
    if error.isShortage { return postpone(member, error) }
    if error.isShortageOfPorts, beginning.localAddress.map({ $0.port == 0 }) ?? true {
      beginning.sourcesTried += 1
      if beginning.sourcesTried < local.value.rotation.count(for: address)
        || local.value.rotation.grow(for: address)
      {
        return attempt(member, address)
      }
      let patience = member.timeouts.values.connect ?? .seconds(60)
      // Who has another address need not wait for this one.
      if beginning.addresses.count == 1,
        local.value.shortages.isWorthWaiting(for: address, loop.now, patience: patience)
      {
        return postponeForPort(member, error)
      }
    }
    beginning.failures.append(ConnectFailure(address: address, error: error))
    beginning.addresses.removeLast()
    attemptNext(member)
  }

  /// Knows ahead when two targets at the same place will not have ports enough.
  private func noteDestination(_ address: SocketAddress) {
    guard !local.value.hasToldOfPorts, !address.isUnix else { return }
    let window = gate.window
    let ports = local.value.rotation.capacity(for: address)
    if ports < window, local.value.lastDestination == address {
      local.value.hasToldOfPorts = true
      tell(.fewPorts(destination: address, ports: ports, window: window))
    }
    local.value.lastDestination = address
  }

  // MARK: Connected

  private func establish(_ member: Member<Handler>, _ attempt: ConnectAttempt) {
    guard let beginning = member.beginning else { return }
    do throws(SocketError) {
      let handle = try attempt.takeHandle(on: loop, settings: settings)
      let driver = try beginning.handler.driver(
        of: handle, framing: beginning.framing ?? framing, number: member.id.slot, reactions())
      let latency = beginning.attemptBegan.duration(to: loop.exactNow)
      member.phase = .open(driver)
      member.beginning = nil
      member.connected(after: latency, loop.now)
      gate.connected(number)
      local.value.statistics.connecting -= 1
      local.value.statistics.open += 1
      local.value.statistics.connected += 1
      local.value.statistics.connectLatency.record(latency)
      driver.start()
      disarm(member)
      arm(member)
      pumpSoon()
    } catch {
      attemptFailed(member, error)
    }
  }
}

extension Member {
  /// Why it could not be connected to.
  fileprivate var failure: SocketError {
    let failures = beginning?.failures ?? []
    if case .address = target, let failure = failures.first { return failure.error }
    return .connectFailed(host: target.host, failures)
  }
}

extension SocketError {
  /// The system has no descriptor or memory left.
  fileprivate var isShortage: Bool {
    guard case .failed(let errno, _, _) = self else { return false }
    return [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .outOfMemory].contains(errno)
  }

  /// No port is left for the destination: connect(2), and bind(2) with port 0.
  fileprivate var isShortageOfPorts: Bool {
    switch self {
    case .failed(.addressNotAvailable, "connect", let address), .failed(.wouldBlock, "connect", let address):
      address?.isUnix == false
    case .failed(.addressInUse, "bind", _): true
    default: false
    }
  }
}
