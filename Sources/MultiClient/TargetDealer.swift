import AsyncSockets

/// Deals one sequence of targets to the clients of a group, to each as many as it asks for. Its state is that of the
/// first client's loop.
final class TargetDealer<Handler: ConnectionHandler>: Sendable {
  /// A client's part of the run.
  struct Seat: Sendable {
    let core: ClientCore<Handler>
    let run: Run<Handler>
  }

  private struct State {
    var draw: (() -> Target?)?
  }

  /// How many at a time: crossing to another loop costs as much as dozens of targets.
  private static var hand: Int { 16 }

  private let seats: [Seat]
  private let handler: @Sendable (Target) -> Handler
  private let state = LoopConfined(State())

  init(_ seats: [Seat], _ handler: @escaping @Sendable (Target) -> Handler) {
    self.seats = seats
    self.handler = handler
  }

  /// What it begins before this returns, a run that is ended afterwards finds begun.
  func begin(_ draw: @escaping @Sendable () -> () -> Target?) {
    seats[0].core.post { [self] _ in state.value.draw = draw() }
    for seat in seats {
      seat.core.post { [self] core in
        core.begin(seat.run, .feeder { [self] in stop() })
        core.whenEmpty(seat.run) { [self] in ask(for: seat) }
      }
    }
  }

  /// Ends all parts of the run.
  func end() {
    for seat in seats { seat.core.post { $0.end(seat.run, .cancel) } }
  }

  /// On that client's loop.
  private func ask(for seat: Seat) {
    // Not more than its share of the places: the others are to have as many.
    let count = min(Self.hand, max(1, seat.core.gate.places / seats.count))
    seat.run.local.value.isFed = true
    seats[0].core.post { [self] _ in deal(count, to: seat) }
  }

  /// One of them wants no more, so that none of the others is to have any.
  private func stop() {
    seats[0].core.post { [self] _ in close() }
  }

  private func deal(_ count: Int, to seat: Seat) {
    let draw = state.value.draw
    var targets: [Target] = []
    while targets.count < count, let target = draw?() { targets.append(target) }
    let isLast = targets.count < count
    seat.core.post { [self, targets] core in
      for target in targets { core.take(target, for: seat.run) { target, _ in handler(target) } }
      seat.run.local.value.isFed = false
      if isLast { core.pumpSoon() } else { core.whenEmpty(seat.run) { [self] in ask(for: seat) } }
    }
    if isLast { close() }
  }

  /// There are no more, which those learn as well who have no place to ask for one.
  private func close() {
    guard state.value.draw != nil else { return }
    state.value.draw = nil
    for seat in seats { seat.core.post { $0.closeFeeder(of: seat.run) } }
  }
}
