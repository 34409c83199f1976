import AsyncSockets

/// A socket as a simulated host's kernel sees it.
struct SimulatedSocket {
  enum Role {
    case fresh
    case listening(backlog: Int)
    /// One end of a connection, by its number.
    case stream(Int)
  }

  /// What setsockopt(2) is given to name an option.
  struct OptionName: Hashable {
    let level: Int32
    let name: Int32
  }

  let host: Int
  /// Which of the host's processes has it.
  let process: Int
  let family: Int32
  var role = Role.fresh
  var local: SocketAddress?
  /// Connections that wait to be accepted.
  var queue: [Int] = []
  var options: [OptionName: Int32] = [:]
  var resetsOnClose = false
  /// Under which key the loop wants to hear of it.
  var key: UInt64?
  /// Whether it is in the list of those with news.
  var hasNews = false

  init(host: Int, process: Int, family: Int32) {
    self.host = host
    self.process = process
    self.family = family
  }

  /// A new one.
  init(_ process: SimulatedProcess, family: Int32) {
    self.init(host: process.host, process: process.number, family: family)
  }

  var reusesAddress: Bool { options[.reuseAddress] == 1 }
}
