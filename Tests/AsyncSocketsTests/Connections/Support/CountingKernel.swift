import Glibc
import Peers
import TestHarness

@testable import AsyncSockets

/// The real kernel, with every call on a connection counted, and answers of a test's own in front of its.
final class CountingKernel: Kernel {
  struct Calls: Hashable, Sendable {
    var receives = 0
    var sends = 0
    /// Of these, the ones that gathered.
    var gatheringSends = 0
    var shutdowns = 0
    var accepts = 0
  }

  private struct State {
    var calls = Calls()
    var receiveAnswers: [Int] = []
    var sendAnswers: [Int] = []
    var acceptAnswers: [Int] = []
    var largestSend = Int.max
  }

  private let state = Lock(State())

  /// - Parameters:
  ///   - receives: answers to the first receives, each `-errno`.
  ///   - sends: answers to the first sends, each `-errno`.
  ///   - accepts: answers to the first accepts, each `-errno`.
  ///   - largestSend: how many bytes a send passes on at most.
  init(receives: [Int32] = [], sends: [Int32] = [], accepts: [Int32] = [], largestSend: Int = .max) {
    state.withLock {
      $0.receiveAnswers = receives.map { -Int($0) }
      $0.sendAnswers = sends.map { -Int($0) }
      $0.acceptAnswers = accepts.map { -Int($0) }
      $0.largestSend = largestSend
    }
  }

  var calls: Calls { state.withLock { $0.calls } }

  /// Answers the next sends with errors.
  func failSends(with errors: [Int32]) { state.withLock { $0.sendAnswers = errors.map { -Int($0) } } }

  func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let answer = state.withLock { state -> Int? in
      state.calls.receives += 1
      return state.receiveAnswers.isEmpty ? nil : state.receiveAnswers.removeFirst()
    }
    return unsafe answer ?? LinuxKernel.shared.receive(descriptor, into: buffer)
  }

  func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    let (answer, most) = state.withLock { state -> (Int?, Int) in
      state.calls.sends += 1
      return (state.sendAnswers.isEmpty ? nil : state.sendAnswers.removeFirst(), state.largestSend)
    }
    return unsafe answer
      ?? LinuxKernel.shared.send(descriptor, UnsafeRawBufferPointer(rebasing: bytes.prefix(most)))
  }

  func send(_ descriptor: Int32, gathering parts: [UnsafeRawBufferPointer]) -> Int {
    let (answer, most) = state.withLock { state -> (Int?, Int) in
      state.calls.sends += 1
      state.calls.gatheringSends += 1
      return (state.sendAnswers.isEmpty ? nil : state.sendAnswers.removeFirst(), state.largestSend)
    }
    if let answer { return answer }
    var room = most
    let passed = unsafe parts.map { part in
      defer { room -= min(room, part.count) }
      return unsafe UnsafeRawBufferPointer(rebasing: part.prefix(room))
    }
    return unsafe LinuxKernel.shared.send(descriptor, gathering: passed)
  }

  func shutdownWrite(_ descriptor: Int32) -> Int {
    state.withLock { $0.calls.shutdowns += 1 }
    return LinuxKernel.shared.shutdownWrite(descriptor)
  }

  func accept(_ descriptor: Int32, peer: inout SocketAddress?) -> Int {
    let answer = state.withLock { state -> Int? in
      state.calls.accepts += 1
      return state.acceptAnswers.isEmpty ? nil : state.acceptAnswers.removeFirst()
    }
    return answer ?? LinuxKernel.shared.accept(descriptor, peer: &peer)
  }
}

/// Runs `body` with a connection whose system calls pass through `kernel`, and audits what is left.
func withLink(
  _ route: Route, kernel: CountingKernel, _ body: @escaping @Sendable (Link) async throws -> Void
) async throws {
  let clock = ManualClock()
  let loop = try EventLoop(clock: clock, kernel: kernel)
  let result: Result<Void, any Error>
  do {
    let link = try await makeLink(route.network, on: loop, clock: clock)
    defer {
      link.connection.abort()
      link.peer.close()
    }
    try await run(route, on: loop) { try await body(link) }
    result = .success(())
  } catch {
    result = .failure(error)
  }
  try await eventually("the loop holds nothing: \(loop.census)") {
    loop.census.registrations == 0 && loop.census.deadlines == 0 && loop.census.abandonedConnections == 0
  }
  await loop.shutdown()
  try result.get()
}
