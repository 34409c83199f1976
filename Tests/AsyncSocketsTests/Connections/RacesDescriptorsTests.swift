import AsyncSockets
import Glibc
import Peers
import TestHarness
import Testing

@Suite("Races: descriptors that are closed and used again", .timeLimit(.minutes(10)))
struct RacesDescriptorsTests {
  /// A reader waits on a descriptor that is closed under it, while another connection with bytes waiting gets the
  /// same number.
  @Test("a recycled number never reaches an old waiter (P02)", arguments: Route.executors)
  func recycledNumber(_ route: Route) async throws {
    let count = rounds(1_000, slow: 10_000)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let source = try ConnectionSource(route.network, on: loop)
      defer { source.close() }
      var old = try await source.next()
      var recycled = 0
      for round in 0..<count {
        let number = descriptorNumber(of: old.connection)
        // In the queue of the listener, its bytes with it, before the old one goes.
        let peer = try await source.connect(sending: "round \(round)")
        let (waiting, next) = try await withThrowingTaskGroup(of: Void.self) { group in
          let connection = old.connection
          let result = Outcome()
          group.addTask(executorPreference: route.isOnLoop ? loop.executor : nil) {
            do { result.set(.success(try await connection.read())) } catch { result.set(.failure(error)) }
          }
          // Every other round the reader is still on its way into the wait.
          if round.isMultiple(of: 2) { try await untilReading(connection) }
          connection.abort()
          let next = try await source.accept(peer)
          try await group.waitForAll()
          return (result, next)
        }
        #expect(waiting.error as? SocketError == .closed, "round \(round): \(waiting)")
        if descriptorNumber(of: next.connection) == number { recycled += 1 }
        #expect(try await next.connection.read() == bytes("round \(round)"))
        old.peer.close()
        old = next
      }
      old.connection.abort()
      old.peer.close()
      // The race must have been run at all.
      #expect(recycled > 0)
    }
  }

  @Test("close, abort and a peer's end at the same time end every connection once", arguments: Route.allCases)
  func endings(_ route: Route) async throws {
    let count = rounds(100, slow: 5_000)
    try await withAuditedLoops(clock: ManualClock()) { group in
      let loop = group.loops[0]
      let source = try ConnectionSource(route.network, on: loop)
      defer { source.close() }
      for round in 0..<count {
        let link = try await source.next()
        await withThrowingTaskGroup(of: Void.self) { group in
          let executor = route.isOnLoop ? loop.executor : nil
          group.addTask(executorPreference: executor) { while try await link.connection.read() != nil {} }
          group.addTask(executorPreference: executor) {
            while true { try await link.connection.send(payload(10_000)) }
          }
          group.addTask { link.peer.close() }
          group.addTask(executorPreference: executor) {
            if round.isMultiple(of: 2) { await link.connection.close() } else { link.connection.abort() }
          }
          while let result = await group.nextResult() {
            if case .failure(let error) = result {
              #expect((error as? SocketError) == .closed || (error as? SocketError)?.tellsOfPeerGone == true)
            }
          }
        }
        await link.connection.close()
        #expect(link.connection.closeReason != nil)
        #expect(descriptorNumber(of: link.connection) == nil)
      }
    }
  }

  @Test("cancelling while bytes arrive loses none of them", arguments: Route.allCases)
  func cancelVersusArrival(_ route: Route) async throws {
    let count = rounds(300, slow: 20_000)
    try await withLink(route) { link in
      let loop = link.loop
      var received: [UInt8] = []
      for round in 0..<count {
        let result = Outcome()
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask(executorPreference: route.isOnLoop ? loop.executor : nil) {
            do { result.set(.success(try await link.connection.read())) } catch {
              result.set(.failure(error))
            }
          }
          if round % 4 != 0 {
            try await soon("it waits, or has found a byte of the round before", on: loop) {
              hasReader(link.connection) || result.value != nil
            }
          }
          if round.isMultiple(of: 2) {
            try link.peer.send([UInt8(truncatingIfNeeded: round)])
            group.cancelAll()
          } else {
            group.cancelAll()
            try link.peer.send([UInt8(truncatingIfNeeded: round)])
          }
          try await group.waitForAll()
        }
        if let chunk = result.value { received += chunk } else { #expect(result.error is CancellationError) }
      }
      received += try await link.connection.receive(exactly: count - received.count)
      #expect(received == (0..<count).map { UInt8(truncatingIfNeeded: $0) })
    }
  }
}

/// Where a task leaves what a read of it came to.
private final class Outcome: Sendable {
  private let result = Lock<Result<[UInt8]?, any Error>?>(nil)

  func set(_ new: sending Result<[UInt8]?, any Error>) { result.withLock { $0 = new } }

  var value: [UInt8]? { result.withLock { try? $0?.get() } ?? nil }
  var error: (any Error)? {
    result.withLock { if case .failure(let error) = $0 { error } else { nil } }
  }
}
