import AsyncSockets
import Glibc
import Peers
import Synchronization
import Testing

/// The kinds of socket that a connection may be made of.
enum Network: String, CaseIterable, Sendable {
  case ipv4, ipv6, unix

  /// One, and all of them in a long run: for what differs little from one to the other.
  static var tried: [Network] { Array(allCases.prefix(rounds(1, slow: 3))) }

  /// An address to listen on that no other test uses.
  var freeAddress: SocketAddress {
    switch self {
    case .ipv4: .loopback()
    case .ipv6: .loopback6()
    case .unix:
      .unix(
        path: "/tmp/asyncsockets-\(getpid())-\(Self.count.wrappingAdd(1, ordering: .relaxed).newValue).sock")
    }
  }

  private static let count = Atomic(0)

  /// Connects a blocking peer; belongs in `onThread`.
  static func connect(to address: SocketAddress, receiveBuffer: Int32? = nil) throws -> BlockingPeer {
    if let path = address.path { return try .connect(unixPath: path, receiveBuffer: receiveBuffer) }
    return try .connect(port: address.port ?? 0, host: address.host, receiveBuffer: receiveBuffer)
  }
}

/// A way to a connection: over which socket, and whether the code that uses it runs on the connection's loop or
/// on the caller's executor. Every promise holds on all of them.
struct Route: CaseIterable, Sendable, CustomTestStringConvertible {
  let network: Network
  let isOnLoop: Bool

  static let allCases = Network.allCases.flatMap { network in
    [Route(network: network, isOnLoop: true), Route(network: network, isOnLoop: false)]
  }

  static let first = allCases[0]

  /// Those on which a peer can reset: a Unix socket knows no reset, unless input was left unread.
  static let tcp = allCases.filter { $0.network != .unix }
  static let unix = allCases.filter { $0.network == .unix }
  /// The two executors, over one kind of socket: for what does not depend on the socket.
  static let executors = allCases.filter { $0.network == .ipv4 }

  var testDescription: String { "\(network) \(isOnLoop ? "on" : "off") the loop" }
}
