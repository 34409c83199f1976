import AsyncSockets
import Framing
import Synchronization
import TCPServer
import TestHarness
import Testing

@Suite struct ExploreTests {
  private struct Lost: Error {}
  private struct Other: Error {}

  /// Fails when the host crashes within ten seconds while the link is slow.
  @Sendable private static func fragile(_ world: SimulatedWorld) async throws {
    let (server, _) = (world.host("server"), world.host("client"))
    let isSlow = world.faults.contains { fault in
      if case .slow = fault.effect { fault.begin < .seconds(20) } else { false }
    }
    for _ in 0..<20 {
      try await world.sleep(for: .seconds(1))
      if !server.isRunning, isSlow { throw Lost() }
    }
  }

  private static let mix = FaultMix(
    .crash("server", for: .seconds(2) ... .seconds(20)), .kill("server"), .cut("client", "server"),
    .cut(from: "client", to: "server"), .reset("client", "server"), .slow("client", "server"),
    .unresolved("server"), .descriptors("server", limit: 3), .clock("server"), upTo: 8, within: .seconds(30))

  @Test("the first seed that fails is found, however many run at a time, with the few faults that it takes")
  func shrinking() async throws {
    var tokens: [String] = []
    for concurrency in [1, 4] {
      let failure = try #require(
        await #expect(throws: ExplorationFailure.self) {
          try await explore(
            seeds: 0..<200, faults: Self.mix, concurrency: concurrency, Self.fragile)
        })
      #expect(failure.failure.underlying is Lost)
      #expect(failure.token.faults.count == 2, "\(failure)")
      #expect(failure.foundFaults > 2 && failure.runs > 0)
      tokens.append("\(failure.token)")
      // It is the first: those before it hold.
      try await explore(seeds: 0..<failure.token.seed, faults: Self.mix, Self.fragile)
    }
    #expect(tokens[0] == tokens[1])
  }

  @Test("the token of a failure leads to it again, and says how")
  func replaying() async throws {
    let failure = try #require(
      await #expect(throws: ExplorationFailure.self) {
        try await explore(seeds: 0..<200, faults: Self.mix, Self.fragile)
      })
    let again = try #require(
      await #expect(throws: ExplorationFailure.self) {
        try await explore(replaying: "\(failure.token)", Self.fragile)
      })
    #expect(again.failure.description == failure.failure.description)
    let text = "\(failure)"
    #expect(text.contains("ASYNCSOCKETS_REPLAY=\(failure.token)\n"))
    #expect(text.contains("explore(replaying: \"\(failure.token)\")"))
    #expect(failure.timeline.description == failure.failure.timeline.description)
    #expect(failure.timeline.description.contains("══"))
    #expect(text.contains("It takes 2 faults (of \(failure.foundFaults); "))
    #expect(text.contains("crashes, and is back") || text.contains("is killed"))
    #expect(text.contains("The last that happened (with hosts side by side: print(failure.timeline)):\n"))
    let mended = try await explore(replaying: "\(failure.token)") { world in
      _ = (world.host("server"), world.host("client"))
    }
    #expect("\(mended)" == "\(failure.token) was run again, and did not fail")
  }

  @Test("a failure that takes no fault is found to take none")
  func noFault() async throws {
    let failure = await #expect(throws: ExplorationFailure.self) {
      try await explore(seeds: 5..<9, faults: FaultMix(.crash("server"), upTo: 9)) { _ in throw Lost() }
    }
    #expect(failure?.token.seed == 5)
    #expect(failure?.token.faults == [])
    #expect("\(failure as Any)".contains("It takes no fault"))
  }

  @Test("shrinking does not turn one failure into another")
  func sameFailure() async throws {
    let failure = await #expect(throws: ExplorationFailure.self) {
      try await explore(seeds: 0..<100, faults: Self.mix) { world in
        // Any fewer faults are another mistake.
        if world.faults.count >= 4 { throw Lost() }
        if !world.faults.isEmpty { throw Other() }
      }
    }
    if failure?.failure.underlying is Lost {
      #expect(failure?.token.faults.count == 4)
    } else {
      #expect(failure?.token.faults.count == 1)
    }
  }

  @Test("a token that names a host of which the scenario has none is no proof that it holds")
  func unknownHost() async throws {
    let error = await #expect(throws: SimulationError.self) {
      try await explore(replaying: "v1,1,crash:sevrer@1+1") { world in
        _ = world.host("server")
        try await world.untilFaultsEnd()
      }
    }
    #expect("\(error as Any)".contains("\"sevrer\""))
    try await explore(replaying: "v1,1,unresolved:anything@1+1,crash:server@1+1") { world in
      _ = world.host("server")
    }
  }

  @Test("each seed draws its own faults from the mix, and always the same")
  func plans() async throws {
    let seen = Lock<[UInt64: [PlannedFault]]>([:])
    for _ in 0..<2 {
      let report = try await explore(seeds: 0..<100, faults: Self.mix) { world in
        _ = (world.host("server"), world.host("client"))
        let before = seen.withLock { $0.updateValue(world.faults, forKey: world.seed) }
        #expect(before == nil || before == world.faults)
        #expect(world.faults.count <= 8)
        #expect(world.faults == world.faults.sorted { $0.begin < $1.begin })
        #expect(world.faults.allSatisfy { $0.begin <= .seconds(30) && $0.length <= .seconds(30) })
      }
      #expect(report.seeds == 100)
      #expect(report.faults == seen.withLock { $0.values.reduce(0) { $0 + $1.count } })
      #expect("\(report)".contains("100 seeds with \(report.faults) faults"))
    }
    let kinds = Set(seen.withLock { $0.values.joined() }.map { "\($0.effect)".prefix { $0 != "(" } })
    #expect(kinds.count == 9, "\(kinds)")
  }

  @Test("faults happen at their times, and each is over at its end, also where they overlap")
  func driving() async throws {
    let token =
      "v1,1,crash:server@10+10,kill:server@15+10,cut:a:b@30+10,block:a:b@35+10,descriptors:a=5@50+5,unresolved:a@50+5,clock:a=20@60"
    try await explore(replaying: token) { world in
      let (server, a, _) = (world.host("server"), world.host("a"), world.host("b"))
      var states: [Bool] = []
      for _ in 0..<6 {
        try await world.sleep(for: .milliseconds(4900))
        states.append(server.isRunning)
        try await world.sleep(for: .milliseconds(100))
      }
      // It boots at 25 s, when the second is over, too.
      #expect(states == [true, true, false, false, false, true])
      try await world.untilFaultsEnd()
      #expect(world.elapsed == .seconds(60))
      try await world.sleep(for: .seconds(1))
      #expect(a.clock.now.nanoseconds == 81_000_000_000)
      let trace = world.trace().joined(separator: "\n")
      for line in [
        "10.000000000 s  server crashes", "25.000000000 s  server boots",
        "30.000000000 s  a and b are cut off from each other", "40.000000000 s  a reaches",
      ] {
        if line.hasPrefix("40") {
          // From b to a; the other way is still blocked.
          #expect(
            trace.contains("40.000000000 s  b reaches a again")
              && trace.contains("45.000000000 s  a reaches b again"))
        } else {
          #expect(trace.contains(line), "\(line)")
        }
      }
    }
  }

  @Test("a budget ends an exploration, and progress tells how far it has come")
  func bounds() async throws {
    let progress = Lock<[Exploration.Progress]>([])
    let short = try await explore(
      seeds: 0..<UInt64.max, budget: .milliseconds(50), concurrency: 2,
      onProgress: { step in progress.withLock { $0.append(step) } }
    ) { _ in }
    #expect(short.isCutShort && short.seeds > 0)
    #expect("\(short)".contains("the budget was used up"))
    #expect(progress.withLock { $0.last } == .explored(seeds: short.seeds))
    #expect(progress.withLock { $0.count } == short.seeds)
    let none = try await explore(seeds: 0..<10, budget: .zero) { _ in throw Lost() }
    #expect(none.seeds == 0 && none.isCutShort)
  }

  @Test("what depends on more than the seed is said to differ, and not shrunk")
  func divergence() async throws {
    let runs = Atomic<Int>(0)
    await #expect(throws: SimulationDiverged.self) {
      try await explore(seeds: 0..<1) { world in
        if runs.add(1, ordering: .relaxed).newValue == 1 { throw Lost() }
      }
    }
  }

  @Test("faults and bounds that cannot be are refused before anything runs")
  func invalid() async throws {
    let wrong: [(FaultMix, String)] = [
      (FaultMix(.crash("localhost")), "\"localhost\" cannot crash"),
      (FaultMix(.crash("two words")), "a name with a space in it"),
      (FaultMix(.cut("a", "a")), "between \"a\" and itself"),
      (FaultMix(.crash("a", for: .seconds(-1) ... .seconds(1))), "cannot last for -1.0 seconds"),
      (FaultMix(.slow("a", "b", LinkConditions(loss: 2))), "a loss must be"),
      (FaultMix(.descriptors("a", limit: -1)), "cannot have -1 descriptors"),
      (FaultMix(.crash("a"), upTo: -1), "up to -1 faults"),
      (FaultMix(.crash("a"), within: .zero), "within 0.0 seconds"),
    ]
    for (mix, text) in wrong {
      let error = await #expect(throws: SimulationError.self) {
        try await explore(seeds: 0..<9, faults: mix) { _ in throw Lost() }
      }
      #expect("\(error as Any)".contains(text))
    }
    let misspelt = await #expect(throws: SimulationError.self) {
      try await explore(seeds: 0..<9, faults: FaultMix(.crash("sever"), .crash("server"))) { world in
        _ = world.host("server")
      }
    }
    #expect(
      misspelt?.description
        == "the faults name \"sever\", but no run had a host of that name: there were \"localhost\", \"server\""
    )
    await #expect(throws: SimulationError.self) {
      try await explore(seeds: 0..<9, concurrency: 0) { _ in throw Lost() }
    }
    await #expect(throws: SimulationError.self) { try await explore(replaying: "v1") { _ in throw Lost() } }
  }
}
