import AsyncSockets

/// What the name service of a simulation answers when it is asked for a name.
public enum NameAnswer: Hashable, Sendable {
  /// The addresses of the host of that name, as long as nothing else is set.
  case host
  /// These addresses, in this order; their ports are of no account.
  case addresses([SocketAddress])
  /// There is no such name (`EAI_NONAME`).
  case notFound
  /// There is no answer now, and may be one later (`EAI_AGAIN`).
  case temporaryFailure
}

extension SimulatedWorld {
  /// What becomes of a look-up of a name from now on, on every host.
  ///
  /// - Parameters:
  ///   - name: what is looked up.
  ///   - answer: what comes of it.
  ///   - delay: how long that takes; a millisecond unless set. A negative one ends the simulation with
  ///     `SimulationError.invalid`.
  public func setResolution(
    of name: String, to answer: NameAnswer, after delay: Duration = .milliseconds(1)
  ) {
    if delay < .zero {
      return services.fail(
        SimulationError.invalid(
          "the name \(name) cannot be looked up in \(delay): give it a delay of zero or more"))
    }
    network.withLock { network in
      network.disturb("the name \(name) " + answer.change)
      network.names[name] = SimulatedName(answer: answer, delay: delay)
    }
  }
}

extension SimulatedNetwork {
  func answer(for name: String) -> NameAnswer {
    unresolvedNames.contains(name) ? .temporaryFailure : names[name]?.answer ?? .host
  }
}

/// A name as the name service knows it.
struct SimulatedName {
  var answer = NameAnswer.host
  var delay = Duration.milliseconds(1)
}

extension NameAnswer {
  fileprivate var change: String {
    switch self {
    case .host: "is that of a host"
    case .addresses(let addresses):
      "leads to \(addresses.map { $0.host }.joined(separator: ", "))"
    case .notFound: "is not known any more"
    case .temporaryFailure: "cannot be resolved"
    }
  }
}
