import AsyncSockets

// What happens on the simulation's loop until the body and the services have ended, or are given up.

extension Simulation {
  private enum End<Value: Sendable>: Sendable {
    case over(Result<Value, any Error>)
    case stuck(SimulationStuck.Reason)
  }

  /// Runs the body and the services until the body ends, a service fails, or nothing good can come any more; then ends
  /// what is left of them.
  func attempt<Value: Sendable>(
    _ body: @escaping @Sendable (SimulatedWorld) async throws -> Value
  ) async -> Result<Value, any Error> {
    let first = FirstValue<End<Value>>()
    let rest = FirstValue<SimulationStuck.Reason?>()
    // A task of its own, since a child is waited for, and some never end.
    let work = Task(executorPreference: world.loop.executor) {
      await withDiscardingTaskGroup { group in
        group.addTask {
          do { try await world.services.run(on: world.loop) } catch { first.give(.over(.failure(error))) }
        }
        group.addTask {
          defer { world.isBodyOver.open() }
          do {
            let value = try await body(world)
            // What has failed may not have had its turn yet.
            first.give(.over(world.services.failure.map { .failure($0) } ?? .success(value)))
          } catch {
            world.noteThrown(error)
            first.give(.over(.failure(error)))
          }
        }
      }
      rest.give(nil)
    }

    poller.whenStuck { first.give(.stuck($0)) }
    var stuck: SimulationStuck?
    if case .stuck(let reason)? = await first.wait(on: world.loop) {
      stuck = SimulationStuck(reason: reason, waiting: await whatWaits(), wasGivenUp: false)
    }
    work.cancel()
    poller.whenStuck { rest.give($0) }
    poller.beginGrace()
    if let reason = await rest.wait(on: world.loop, isCancellable: false) ?? nil {
      var waiting = if let stuck { stuck.waiting } else { await whatWaits() }
      if case .over(.failure(let error))? = first.current {
        waiting += "\nthe body had failed before: \(error)"
      }
      return .failure(SimulationStuck(reason: stuck?.reason ?? reason, waiting: waiting, wasGivenUp: true))
    }
    if let stuck { return .failure(stuck) }
    guard case .over(let result)? = await first.wait(on: world.loop) else {
      return .failure(CancellationError())
    }
    return result
  }

  /// What the loop and the network hold, and who has not ended.
  private func whatWaits() async -> String {
    var lines = [await world.loop.snapshot().description]
    let (packets, next) = world.network.withLock { network in
      (network.events.count, network.events.next.map { network.now.duration(to: $0) })
    }
    if let next {
      lines.append("\(packets.of("packet")) or time-outs of TCP to come, the next in \(next.briefly)")
    }
    if poller.isBusy { lines += whatRanLast }
    return (lines + whoRuns).joined(separator: "\n")
  }

  var whoRuns: [String] {
    let running = (world.isBodyOver.isOpen ? [] : ["the body"]) + world.services.running
    return running.isEmpty ? [] : ["not ended: " + running.joined(separator: ", ")]
  }

  var whatRanLast: [String] { world.order.lastFunctions.map { "ran last: \($0)" } }
}
