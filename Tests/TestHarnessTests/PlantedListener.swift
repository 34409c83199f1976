import AsyncSockets
import TestHarness

/// A listener with a bug between it and its user.
final class PlantedListener: ListenerEnd {
  private struct State {
    var isClosed = false
    var accepts = 0
    var held: [Connection] = []
    var losesNext = false
    var kept: [Connection] = []
    var successor: Listener?
  }

  private let base: Listener
  private let loop: EventLoop
  private let bug: ListenerCheck
  private let state = Lock(State())

  init(_ base: Listener, on loop: EventLoop, bug: ListenerCheck) {
    self.base = base
    self.loop = loop
    self.bug = bug
  }

  deinit {
    for connection in state.withLock({ $0.kept + $0.held }) { connection.abort() }
  }

  func accept(on loop: EventLoop, options: ConnectionOptions) async throws -> Connection {
    let (wasClosed, wasCancelled) = (state.withLock { $0.isClosed }, Task.isCancelled)
    do {
      let connection = try await acceptOn(options)
      if bug == .closeKeepsAccepted { state.withLock { $0.kept.append(connection) } }
      return connection
    } catch is CancellationError where bug == .cancelledAccept && !wasCancelled {
      state.withLock { $0.losesNext = true }
      throw CancellationError()
    } catch SocketError.closed where bug == (wasClosed ? .acceptAfterClose : .closeWakes) {
      throw CancellationError()
    }
  }

  private func acceptOn(_ options: ConnectionOptions) async throws -> Connection {
    switch bug {
    case .backlog:
      if let held = state.withLock({ $0.held.popLast() }) { return held }
      let connection = try await base.accept(on: loop, options: options)
      let isThird = state.withLock { state in
        state.accepts += 1
        return state.accepts == 3
      }
      guard isThird, case .connection(let next)? = try? base.acceptNow(on: loop, options: options) else {
        return connection
      }
      state.withLock { $0.held.append(connection) }
      return next
    case .waits:
      return try await withDeadline(.after(.seconds(30)), on: loop) {
        try await base.accept(on: loop, options: options)
      }
    case .cancelledAccept:
      let connection = try await base.accept(on: loop, options: options)
      let isLost = state.withLock { state in
        defer { state.losesNext = false }
        return state.losesNext
      }
      guard isLost else { return connection }
      connection.abort()
      return try await base.accept(on: loop, options: options)
    case .cancelledBefore where Task.isCancelled:
      return try await Task { [base, loop] in try await base.accept(on: loop, options: options) }.value
    case .secondAcceptor:
      while true {
        do {
          return try await base.accept(on: loop, options: options)
        } catch SocketError.busy {
          await loop.nextTurn()
        }
      }
    case .badOptions: return try await base.accept(on: loop, options: ConnectionOptions())
    default: return try await base.accept(on: loop, options: options)
    }
  }

  /// Opens what outlives the close.
  private func leave(_ listener: Listener?) { state.withLock { $0.successor = listener } }

  func close() {
    let isFirst = state.withLock { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
    if bug == .closeEndsQueued {
      while case .connection(let connection)? = try? base.acceptNow(on: loop, options: ConnectionOptions()) {
        state.withLock { $0.kept.append(connection) }
      }
    }
    if bug == .closeKeepsAccepted { for connection in state.withLock({ $0.kept }) { connection.abort() } }
    base.close()
    if bug == .nothingLeft, isFirst { leave(try? Listener.bind(to: .loopback(), on: loop)) }
    if bug == .closeRefuses, isFirst, let other = try? EventLoopGroup.shared.loops[0] {
      leave(try? Listener.bind(to: base.address, on: other))
    }
  }
}
