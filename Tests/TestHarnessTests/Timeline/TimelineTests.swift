import AsyncSockets
import TCPServer
import Testing

@testable import TestHarness

@Suite("A time line") struct TimelineTests {
  private typealias Row = SimulationTimeline.Row

  private func timeline(_ rows: [(Int64, String?, Row.Content)]) -> SimulationTimeline {
    var timeline = SimulationTimeline()
    for (milliseconds, host, content) in rows {
      let time = EventLoop.Instant(nanoseconds: milliseconds * 1_000_000)
      timeline.append(Row(time: time, host: host, content: content))
    }
    return timeline
  }

  private func bytes(_ way: String, _ text: String) -> Row.Content {
    .bytes(way, first: Array(text.utf8.prefix(64)), count: text.utf8.count)
  }

  @Test("has a column for each host, and what concerns all goes across")
  func columns() {
    let timeline = timeline([
      (0, "client", .event("#1 connects to server:7")), (1, "server", .event("#1 accepted from client")),
      (2, "client", bytes("#1 →", "PUT x 1\n")), (3, "server", bytes("#1 ←", "PUT x 1\n")),
      (1000, nil, .fault("client and server are cut off from each other")),
      (12_000, nil, .note("that is all")),
    ])
    #expect(
      timeline.description == """
             time  client                                      server
         0.000000  #1 connects to server:7                     │
         0.001000  │                                           #1 accepted from client
         0.002000  #1 → "PUT x 1\\n"                            │
         0.003000  │                                           #1 ← "PUT x 1\\n"
         1.000000  ══ client and server are cut off from each other ══
        12.000000  ── that is all
        """)
    #expect(self.timeline([]).description.isEmpty)
  }

  @Test("joins bytes that go the same way, and says how many there were where it cannot show them")
  func joining() {
    let many = String(repeating: "x", count: 100)
    let timeline = timeline([
      (0, "a", bytes("#1 →", "he")), (1, "a", bytes("#1 →", "llo")), (2, "b", bytes("#1 ←", many)),
      (3, "b", bytes("#1 ←", many)), (4, "b", bytes("#2 ←", "x")),
    ])
    let lines = timeline.description.split(separator: "\n")
    #expect(lines.count == 4)
    #expect(lines[1].contains("#1 → \"hello\""))
    #expect(lines[2].hasSuffix("xxx…\" 200 bytes"))
  }

  @Test(
    "is at most 110 characters wide, for any number of hosts, and names them in each line if they are many")
  func width() {
    for count in [1, 2, 3, 4, 5, 12] {
      let hosts = (0..<count).map { "host-number-\($0)-of-a-long-name" }
      var rows: [(Int64, String?, Row.Content)] = []
      for host in hosts {
        rows.append((100_000, host, bytes("#12345 →", String(repeating: "\0", count: 64))))
        rows.append((100_000, host, .event(String(repeating: "word ", count: 40))))
        rows.append((100_000, nil, .fault(String(repeating: "word ", count: 40))))
      }
      let lines = timeline(rows).description.split(separator: "\n")
      #expect(lines.count == 3 * count + 1)
      #expect(lines.allSatisfy { $0.count <= 110 })
      #expect(lines[1].contains("host-number-0-of-") == (count > 4))
    }
  }

  @Test("its end keeps all faults, which may be the cause")
  func end() {
    var rows: [(Int64, String?, Row.Content)] = [(0, nil, .fault("cut"))]
    for number in 1...50 { rows.append((Int64(number), "a", .event("event \(number)"))) }
    let lines = timeline(rows).last(2).description.split(separator: "\n")
    #expect(lines.count == 5)
    #expect(lines[1].hasSuffix("══ cut ══") && lines[2] == "…" && lines[4].hasSuffix("event 50"))
    #expect(timeline(rows).last(100).description == timeline(rows).description)
  }

  @Test("is narrowed to a time, with the faults before it, and to some hosts")
  func narrowing() {
    let timeline = timeline([
      (0, nil, .fault("cut")), (1, "a", .event("one")), (2, "b", .event("two")), (3, "a", .event("three")),
      (4, nil, .fault("healed")),
    ])
    func texts(_ timeline: SimulationTimeline) -> [String] { timeline.rows.map { $0.text(80) } }
    #expect(texts(timeline.during(.milliseconds(2) ... .milliseconds(3))) == ["══ cut ══", "two", "three"])
    #expect(texts(timeline.among("a")) == ["══ cut ══", "one", "three", "══ healed ══"])
    #expect(texts(timeline.among("c")) == ["══ cut ══", "══ healed ══"])
  }

  private struct Oops: Error {}

  @Test("of a failed simulation tells what happened until then, the same for the same seed")
  func failure() async throws {
    let failure = try await failure(seed: 3)
    let text = failure.timeline.description
    for part in [
      "client", "#1 connects to server:7", "server", "#1 accepted from client", "listens on 0.0.0.0:7",
      "#1 is connected", #"#1 → "hello\n""#, #"#1 ← "hello\n""#, "asks again",
      "══ client and server are cut off from each other ══",
      "══ connections between client and server are reset",
      "#1 read: ECONNRESET", "── the body has thrown: Oops()",
    ] {
      #expect(text.contains(part), "\(part) in\n\(text)")
    }
    #expect(text.hasSuffix("── the body has thrown: Oops()"))
    #expect(!text.contains("turn") && !text.contains("room"))
    #expect(text == (try await self.failure(seed: 3)).timeline.description)
  }

  private func failure(seed: UInt64) async throws -> SimulationFailure {
    try await #require(
      #expect(throws: SimulationFailure.self) {
        try await withSimulation(seed: seed, faults: .none) { world in
          let (host, client) = (world.host("server"), world.host("client"))
          let server = try await host.run { try await TCPServer.bind(on: .any(port: 7)) }
          host.start {
            try await server.run { connection in
              for try await bytes in connection.inbound { try await connection.send(bytes) }
            }
          }
          try await client.run {
            try await Connector().withConnection(to: host.address.withPort(7)) { connection in
              let lines = connection.framed(.lines)
              _ = try await lines.request("hello")
              world.partition(between: client, and: host)
              world.note("asks again")
              try await lines.send("again")
              try await world.sleep(for: .seconds(1))
              world.resetConnections(between: client, and: host)
              _ = try? await lines.next()
              throw Oops()
            }
          }
        }
      })
  }
}
