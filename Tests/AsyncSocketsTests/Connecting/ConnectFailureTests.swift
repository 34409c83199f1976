import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("A connect that fails half-way", .timeLimit(.minutes(4)))
struct ConnectFailureTests {
  @Test("names the call and leaves nothing open (P06)", arguments: FailingConnectKernel.Call.allCases)
  func halfWay(call: FailingConnectKernel.Call) async {
    await #expect(processExitsWith: .success) { [call = call as FailingConnectKernel.Call] in
      await reportingErrors {
        for network in Network.allCases where network != .unix || call == .socket || call == .connect {
          try await connectFailing(at: call, network: network)
        }
      }
    }
  }
}

private func connectFailing(at call: FailingConnectKernel.Call, network: Network) async throws {
  let kernel = FailingConnectKernel(failing: call)
  try await withListener(network, clock: ManualClock(), kernel: kernel) { door in
    kernel.isArmed = true
    let audit = ResourceAudit()
    var connector = try connector(on: door.loop)
    if call == .bind { connector.localAddress = network.freeAddress }
    let error = await socketError { [connector] in try await connector.connect(to: door.address) }
    let address = call == .bind ? connector.localAddress : door.address
    let name = [.setOption: "setsockopt(noDelay)", .pendingError: "connect"][call] ?? call.rawValue
    #expect(error == .failed(Errno(ENOBUFS), call: name, address: address))
    #expect(audit.leaked.filter { $0.target.hasPrefix("socket:") } == [])
  }
}

/// A kernel in which one of the calls of a connection's birth fails.
final class FailingConnectKernel: Kernel {
  enum Call: String, CaseIterable, Codable, Sendable {
    case socket, setOption, bind, connect, pendingError
  }

  private let failing: Call
  private let state = Lock(false)

  init(failing: Call) { self.failing = failing }

  var isArmed: Bool {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }

  private func answer(_ call: Call, _ real: () -> Int) -> Int {
    isArmed && call == failing ? -Int(ENOBUFS) : real()
  }

  func socket(family: Int32) -> Int {
    answer(.socket) { LinuxKernel.shared.socket(family: family) }
  }

  func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int {
    answer(.setOption) {
      LinuxKernel.shared.setOption(descriptor, level: level, name: name, value: value)
    }
  }

  func bind(_ descriptor: Int32, to address: SocketAddress) -> Int {
    answer(.bind) { LinuxKernel.shared.bind(descriptor, to: address) }
  }

  func connect(_ descriptor: Int32, to address: SocketAddress) -> Int {
    answer(.connect) { LinuxKernel.shared.connect(descriptor, to: address) }
  }

  func pendingError(_ descriptor: Int32) -> Int {
    answer(.pendingError) { LinuxKernel.shared.pendingError(descriptor) }
  }
}
