import AsyncSockets
import Glibc
import Peers
import TestHarness
import Testing

@Suite("A process without descriptors to spare", .serialized, .timeLimit(.minutes(4)))
struct ExhaustionTests {
  @Test(
    "at the descriptor limit the server serves whom it has, does not spin, and recovers within a second (P09, P10)"
  )
  func recovers() async throws {
    try await withRot13 { server in
      let port = server.port
      let base = try await descriptorsAtRest(of: server)
      // It has set its own limit on connections by the limit that it was started with. Now it gets one that leaves
      // 40 numbers free, whatever it has inherited.
      try await setDescriptorLimit(try server.facts.descriptorLimit(leaving: 40), of: server.process.id)
      let peers = try await onThread { try (0..<200).map { _ in try BlockingPeer.connect(port: port) } }
      try await onThread {
        for peer in peers { try peer.send("svefg\n") }
        for peer in peers[..<40] { try peer.expectLine("first") }
      }
      #expect(try server.facts.descriptorCount == base + 40)

      let before = try server.facts.processorTime
      try await EventLoopGroup.shared.loops[0].sleep(for: .seconds(1))
      #expect(try server.facts.processorTime - before <= .milliseconds(50))

      let clock = ContinuousClock()
      let echoes = try await onThread {
        try peers[..<40].map { peer in
          try clock.measure {
            try peer.send("fgvyy urer\n")
            try peer.expectLine("still here")
          }
        }
      }
      #expect(echoes.sorted()[20] < .milliseconds(100))

      for peer in peers[..<30] { peer.close() }
      let recovery = try await onThread {
        try clock.measure {
          for peer in peers[40..<70] { try peer.expectLine("first") }
        }
      }
      #expect(recovery < .seconds(1))

      // And when all that were served leave, all the others have their turn.
      try await onThread {
        for peer in peers[30..<70] { peer.close() }
        for peer in peers[70...] {
          try peer.expectLine("first")
          peer.close()
        }
      }
      try await eventually("all is given back") { try server.facts.descriptorCount == base }
    }
  }

  @Test(
    "scenario G15: at the descriptor limit clients that come and go cost next to nothing, and the waiting are served (P09)"
  )
  func churnAtTheLimit() async throws {
    let churners = isSlowRun ? 2000 : 200
    let window = Duration.seconds(isSlowRun ? 3 : 0)
    try await withRot13(["--events"]) { server in
      let port = server.port
      let base = try await descriptorsAtRest(of: server)
      try await setDescriptorLimit(try server.facts.descriptorLimit(leaving: 40), of: server.process.id)
      let peers = try await onThread { try (0..<200).map { _ in try BlockingPeer.connect(port: port) } }
      try await onThread {
        for peer in peers { try peer.send("svefg\n") }
        for peer in peers[..<40] { try peer.expectLine("first") }
      }

      let clock = ContinuousClock()
      let start = clock.now
      let before = try server.facts.processorTime
      try await onThread {
        var number = 0
        // Those who come and go lie in the queue until it is their turn.
        while number < churners || clock.now - start < window {
          if number < churners { try BlockingPeer.connect(port: port).reset() } else { giveOthersAMoment() }
          if number % 100 == 0 {
            try peers[number / 100 % 40].send("fgvyy urer\n")
            try peers[number / 100 % 40].expectLine("still here")
          }
          number += 1
        }
      }
      let used = try server.facts.processorTime - before
      if isSlowRun { #expect(used <= (clock.now - start) * 0.05 + .milliseconds(20)) }
      #expect(server.process.errorOutput.lineCount(with: "accepting paused") == 1)

      // One descriptor, one of those who wait.
      let times = try await onThread {
        try (0..<10).map { number in
          peers[number].close()
          return try clock.measure { try peers[40 + number].expectLine("first") }
        }
      }
      if isSlowRun { #expect(times.sorted()[5] <= .milliseconds(250)) }
      try await onThread {
        for peer in peers[10..<50] { peer.close() }
        for peer in peers[50...] {
          try peer.expectLine("first")
          peer.close()
        }
      }
      try await eventually("all is given back") { try server.facts.descriptorCount == base }
    }
  }

  @Test("5,000 clients at once are served by one process, and leave nothing (P69)")
  func fiveThousand() async throws {
    try await withRot13 { server in
      let port = server.port
      // Counted when the runtime has opened what it opens at first use.
      let base = try await descriptorsAtRest(of: server)
      let threads = try server.facts.threadCount
      let peers = try await onThread {
        let peers = try (0..<5000).map { _ in try BlockingPeer.connect(port: port) }
        for round in 1...2 {
          for (number, peer) in peers.enumerated() { try peer.send("yvar \(round) bs \(number)\n") }
          for (number, peer) in peers.enumerated() {
            try peer.expectLine("line \(round) of \(number)")
          }
        }
        return peers
      }
      #expect(try server.facts.descriptorCount == base + 5000)
      try await onThread {
        for (number, peer) in peers.enumerated() {
          if number % 3 == 0 { try peer.reset() } else { peer.close() }
        }
      }
      try await eventually("all is given back") { try server.facts.descriptorCount == base }
      // The runtime's own come and go by one or two.
      #expect(try server.facts.threadCount <= threads + 4)
    }
  }

  /// How many descriptors the server has when nobody is connected. Counted when the runtime has opened what it opens at
  /// first use, which on a busy machine is some time after the first client.
  private func descriptorsAtRest(of server: Rot13Process) async throws -> Int {
    let first = try await server.connect()
    #expect(try await first.ask("uryyb") == "hello")
    try await eventually("the runtime has its timer") {
      try server.facts.descriptorTargets.contains("anon_inode:[timerfd]")
    }
    let base = try server.facts.descriptorCount - 1
    first.close()
    try await eventually("it is gone") { try server.facts.descriptorCount == base }
    return base
  }

  private func setDescriptorLimit(_ limit: Int, of process: pid_t) async throws {
    try await withChildProcess("prlimit", ["--pid", "\(process)", "--nofile=\(limit):"]) { child in
      let status = try await child.waitForExit()
      guard status == .exited(0) else { throw PeerError.invalid("prlimit: \(child.errorOutput)") }
    }
  }
}

extension String {
  /// How many of its lines hold a text.
  fileprivate func lineCount(with text: String) -> Int {
    split(separator: "\n").count { $0.contains(text) }
  }
}
