import AsyncSockets

/// Deals one sequence of targets to the clients of a group, to each as many as it asks for. Its state is that of the
/// first client's loop.
final class TargetDealer<Handler: ConnectionHandler>: Sendable {
  private struct State {
    var draw: (() -> Target?)?
  }

  /// How many at a time: crossing to another loop costs as much as dozens of targets.
  private static var hand: Int { 16 }

  private let cores: [ClientCore<Handler>]
  private let number: Int
  private let handler: @Sendable (Target) -> Handler
  private let state: LoopConfined<State>

  init(
    among cores: [ClientCore<Handler>], number: Int, _ handler: @escaping @Sendable (Target) -> Handler
  ) {
    self.cores = cores
    self.number = number
    self.handler = handler
    state = LoopConfined(State())
  }

  func begin(_ draw: @escaping () -> Target?) {
    state.value.draw = draw
    for core in cores {
      core.post { [self] core in
        core.begin(number)
        core.openFeeder(number) { [self] in stop() }
        core.whenEmpty { [self] in ask(for: core) }
      }
    }
  }

  /// On that client's loop.
  private func ask(for core: ClientCore<Handler>) {
    // More than it can begin would wait there while another has places.
    let count = min(Self.hand, max(1, core.local.value.gate.places))
    cores[0].loop.call { [self] in deal(count, to: core) }
  }

  /// One of them wants no more, so that none of the others is to have any.
  private func stop() {
    cores[0].loop.call { [self] in state.value.draw = nil }
  }

  private func deal(_ count: Int, to core: ClientCore<Handler>) {
    var targets: [Target] = []
    while targets.count < count, let draw = state.value.draw {
      guard let target = draw() else {
        state.value.draw = nil
        break
      }
      targets.append(target)
    }
    let isOver = state.value.draw == nil
    core.post { [self, targets] core in
      for target in targets { core.take(target) { target, _ in handler(target) } }
      if isOver { core.closeFeeder(number) } else { core.whenEmpty { [self] in ask(for: core) } }
    }
  }
}
