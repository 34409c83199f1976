/// How long simulations are waited for; tests shorten it.
package struct SimulationPatience: Sendable {
  /// Turns in a row in which jobs run, nobody sleeps, and not a byte moves.
  package var idleTurns = 50_000
  /// What a simulation may take to end once it should, in its own time.
  package var grace = Duration.seconds(3600)
  /// The same in turns: an hour of short sleeps may be for ever.
  package var turnsOfGrace = 500_000
  /// How long, in real time, one turn may take once the simulation should end.
  package var turn = Duration.seconds(10)
  /// The same before that, when it may be a long computation.
  package var computation = Duration.seconds(60)

  package init() {}

  /// What simulations that the current task begins are given.
  @TaskLocal package static var current = SimulationPatience()
}
