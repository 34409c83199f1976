import AsyncSockets

/// A client's connection to a fault proxy, and the one to the server behind it.
final class ProxiedConnection: Sendable {
  private struct State {
    var endings = ProxyEndings()
    var severance: Severance?
  }

  /// Tells connections apart, from 0 in the order in which they came.
  let number: Int
  private let client: Connection
  private let server: Connection
  private let upstream: FaultedStream
  private let downstream: FaultedStream
  private let loop: EventLoop
  private let state = Lock(State())
  private let isOver = Latch()

  init(number: Int, client: Connection, server: Connection, on loop: EventLoop) {
    self.number = number
    self.client = client
    self.server = server
    self.loop = loop
    upstream = FaultedStream(from: client, to: server, on: loop)
    downstream = FaultedStream(from: server, to: client, on: loop)
  }

  func stream(_ direction: FaultProxy.Direction) -> FaultedStream {
    switch direction {
    case .upstream: upstream
    case .downstream: downstream
    }
  }

  /// Passes bytes on until both sides have ended or one of them fails, until a fault ends it, or until it is cancelled.
  func run() async {
    await withTaskCancellationHandler {
      await withDiscardingTaskGroup { group in
        for (direction, stream) in [upstream, downstream].enumerated() {
          group.addTask { await stream.receive() }
          group.addTask { await stream.deliver { self.note($0, in: direction) } }
          group.addTask { await stream.keepTime { self.note($0, in: direction) } }
        }
        _ = await isOver.wait(on: loop)
        group.cancelAll()
      }
      if state.withLock({ $0.severance }) == .close {
        async let closed: Void = client.close()
        await server.close()
        await closed
      } else {
        abort()
      }
    } onCancel: {
      abort()
    }
  }

  private func note(_ event: ProxyEndings.Event, in direction: Int) {
    let isOver = state.withLock { state in
      if state.severance == nil { state.severance = state.endings.note(event, in: direction) }
      return state.severance != nil
    }
    if isOver { self.isOver.open() }
  }

  private func abort() {
    client.abort()
    server.abort()
  }
}
