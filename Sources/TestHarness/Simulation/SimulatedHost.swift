import AsyncSockets

/// A machine in a simulation, with addresses and ports of its own.
///
/// ```swift
/// let database = world.host("database")
/// database.start { try await TCPServer.serve(on: .any(port: 5432)) { connection in … } }
/// …
/// database.crash()
/// database.restart()
/// ```
public struct SimulatedHost: Sendable {
  /// Its name, which resolves to its addresses on every host of the simulation.
  public let name: String
  /// Its IPv4 address, with port 0.
  public let address: SocketAddress
  /// Its IPv6 address, with port 0.
  public let address6: SocketAddress

  let number: Int
  let work: HostWork
  let world: SimulatedWorld
  /// Which of its processes the current task belongs to, for ``current``.
  private(set) var process = 0

  var environment: Environment { world.environment }

  /// The host on which the current task works.
  @TaskLocal static var current: SimulatedHost?

  /// Starts something on this host that goes on in the background, and that the host starts anew whenever it has crashed
  /// and come back. It is cancelled and waited for when the body of the simulation has ended, for an hour of the
  /// simulation; an error of its own, but for `CancellationError`, ends the simulation.
  ///
  /// So what a service makes in its closure is its memory, and lost in a crash; what it has captured from outside is
  /// like a disk. A listener belongs to the process, too: bind in the closure, not before.
  public func start(_ service: @escaping @Sendable () async throws -> Void) {
    work.add(service)
    if let process = world.network.withLock({ $0.hosts[number].isRunning ? $0.process(of: number) : nil }) {
      start(service, in: process)
    }
  }

  func start(_ service: @escaping HostWork.Service, in process: SimulatedProcess) {
    world.services.add(
      .init(host: name) {
        // It may be over before its turn comes.
        guard isRunning(process) else { return }
        do { try await run(in: process, service) } catch let crash as HostCrashed where crash.host == name {}
      })
  }

  /// Does something on this host: the sockets that the body opens, and the tasks it starts, are the host's. The body
  /// runs in a task of its own, on the actor of the caller.
  ///
  /// - Returns: what the body returns.
  /// - Throws: what the body throws. `HostCrashed` instead, also of a body that has returned, when the host has crashed
  ///   meanwhile, or before: then the body was cancelled, and what it still did went nowhere. A body that throws
  ///   nothing, or one type of error, returns or throws that all the same: it has no place for another.
  public nonisolated(nonsending) func run<Value, Failure>(
    _ body: @escaping () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    try await run(in: world.network.withLock { $0.process(of: number) }, body)
  }

  private nonisolated(nonsending) func run<Value, Failure>(
    in process: SimulatedProcess, _ body: @escaping () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let isolation = #isolation
    let end = HostTaskEnd<Value, Failure>()
    // A task's closure must be sendable, which the body need not be: it runs where its caller runs, who does nothing
    // meanwhile but wait.
    nonisolated(unsafe) let work = {
      do throws(Failure) { end.result = .success(try await body()) } catch { end.result = .failure(error) }
    }
    // One of its own, since a crash cancels it and not its caller.
    var current = self
    current.process = process.number
    let task = Self.$current.withValue(current) {
      Environment.$current.withValue(environment) {
        Task(executorPreference: world.loop.executor) { unsafe await perform(work, isolation: isolation) }
      }
    }
    let id = self.work.add(task)
    if !isRunning(process) { task.cancel() }
    await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }
    self.work.remove(id)
    // What has come of it was lost with the process, where the body's errors allow to say so.
    if !isRunning(process), let crash = HostCrashed(host: name) as? Failure { throw crash }
    switch end.result {
    case .success(let value): return value
    case .failure(let error): throw error
    case nil: preconditionFailure("the task has ended, and so has the body")
    }
  }

  /// Without a task of its own, for what lasts as long as the simulation.
  nonisolated(nonsending) func enter<Value>(_ body: () async throws -> Value) async rethrows -> Value {
    try await Self.$current.withValue(self) {
      try await Environment.$current.withValue(environment) { try await body() }
    }
  }

  private func isRunning(_ process: SimulatedProcess) -> Bool {
    world.network.withLock { $0.isRunning(process) }
  }

  /// Why a host cannot have this name; `nil` if it can.
  static func problem(withName name: String) -> String? {
    let problem: String
    if name.isEmpty {
      problem = "an empty name"
    } else if name.contains(where: { $0.isWhitespace || $0.isNewline }) {
      problem = "a name with a space in it"
    } else if name.contains(":") || name.allSatisfy({ $0.isNumber || $0 == "." }) {
      problem = "a name that reads as an address"
    } else {
      return nil
    }
    return
      "a host of a simulation cannot have \(problem), \(name.debugDescription), which no resolver would look up: "
      + "call it \"server-1\", for example"
  }
}

private final class HostTaskEnd<Value, Failure: Error> {
  var result: Result<Value, Failure>?
}

private func perform(_ work: () async -> Void, isolation: isolated (any Actor)?) async { await work() }
