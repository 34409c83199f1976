import Peers
import Testing

@Suite("A simulation") struct SimulatedProcessTests {
  @Test("with the same seed is the same in another process, byte for byte")
  func replay() async throws {
    let exercise = try builtExecutable("SocketExercise")
    var seen: [String] = []
    for seed in ["1", "1", "2"] {
      seen.append(try await withChildProcess(exercise, ["simulated", seed]) { try await $0.readLine() })
    }
    #expect(seen[0] == seen[1])
    #expect(seen[0] != seen[2])
  }
}
