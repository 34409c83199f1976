import Peers
import TestHarness
import Testing

@testable import AsyncSockets

/// In processes of their own, in which nobody else opens descriptors or starts threads.
@Suite("The life of an event loop", .serialized, .timeLimit(.minutes(4)))
struct LifetimeTests {
  @Test("leaves no descriptor and no thread after 1,000 starts and stops (P05)")
  func startsAndStops() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        try await expectNothingLeft {
          for _ in 0..<1000 {
            let loop = try EventLoop()
            #expect(await Resident(on: loop).call())
            await loop.shutdown()
          }
        }
      }
    }
  }

  @Test("leaves nothing either when 200 loops are dropped without a stop (P05)")
  func drops() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        try await expectNothingLeft {
          for _ in 0..<200 {
            let resident = Resident(on: try EventLoop())
            #expect(await resident.call())
          }
        }
      }
    }
  }

  @Test("leaves nothing either when jobs came after 200 stops (P05)")
  func laterJobs() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        try await expectNothingLeft {
          for _ in 0..<200 {
            let loop = try EventLoop()
            await loop.shutdown()
            #expect(await Resident(on: loop).call())
          }
        }
      }
    }
  }

  @Test("leaves nothing either when a listener and a connection are on it (P05)")
  func sockets() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        try await expectNothingLeft {
          for _ in 0..<100 {
            let loop = try EventLoop()
            let listener = try Listener.bind(to: .loopback(), on: loop)
            let port = try #require(listener.address.port)
            let peer = try await onThread { try BlockingPeer.connect(port: port) }
            let connection = try await listener.accept(on: loop)
            await loop.shutdown()
            await #expect(throws: SocketError.loopStopped) { try await connection.read() }
            connection.abort()
            peer.close()
          }
        }
      }
    }
  }

  @Test("ends its memory with it")
  func memory() async throws {
    weak var core: EventLoopCore?
    do {
      let loop = try EventLoop()
      core = loop.core
      #expect(await Resident(on: loop).call())
      await loop.shutdown()
    }
    try await eventually("the loop is gone") { core == nil }
    do {
      let loop = try EventLoop()
      core = loop.core
    }
    try await eventually("the loop that was dropped is gone") { core == nil }
  }

  @Test("lasts as long as a connection that it serves")
  func heldByConnection() async throws {
    weak var loop: EventLoop?
    let (connection, peer) = try await {
      let own = try EventLoop()
      loop = own
      let listener = try Listener.bind(to: .loopback(), on: own)
      defer { listener.close() }
      let port = try #require(listener.address.port)
      let peer = try await onThread { try BlockingPeer.connect(port: port) }
      return (try await listener.accept(on: own), peer)
    }()
    try await connection.send("still here\n")
    let line = try await onThread { try peer.receiveLine() }
    #expect(line == "still here")
    peer.close()
    await connection.close()
    #expect(loop != nil)
    #expect(connection.loop === loop)
  }

  @Test("begins and ends with a body that audits it")
  func audit() async throws {
    await #expect(throws: ResourcesLeaked.self) {
      try await withAuditedLoops { group in
        let connection = try Connection(over: ScriptedTransport(), on: group.loops[0])
        _ = consume connection
      }
    }
  }
}

/// Compares descriptors and threads before and after.
private func expectNothingLeft(_ body: () async throws -> Void) async throws {
  // What the process keeps for ever is there afterwards.
  let inherited = ownDescriptors().count
  let shared = try EventLoopGroup.shared.loops.count
  try await onThread {}
  try await EventLoop().shutdown()
  // Other parts of the process may have opened and closed some of their own meanwhile.
  try await eventually("the warm-up is over") { ownDescriptors().count <= inherited + 2 * shared }
  let threads = ResourceAudit.threadCount()
  let descriptors = ownDescriptors().count
  try await body()
  try await eventually("no descriptor is left: \(ownDescriptors())") { ownDescriptors().count <= descriptors }
  try await eventually("no thread is left") { ResourceAudit.threadCount() <= threads }
}

/// Sockets, and what loops are made of.
private func ownDescriptors() -> [ResourceAudit.OpenDescriptor] {
  ResourceAudit.openDescriptors().filter {
    $0.target.hasPrefix("socket:") || ["anon_inode:[eventpoll]", "anon_inode:[eventfd]"].contains($0.target)
  }
}
