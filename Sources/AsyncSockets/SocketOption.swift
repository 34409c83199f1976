import CLinux
import Glibc

/// An option of a socket and the value to give it: `socket(7)`, `tcp(7)`.
///
/// ```swift
/// options.socketOptions = [.keepAlive(idle: .seconds(60), interval: .seconds(10), count: 3)]
/// try connection.set(.userTimeout(.seconds(20)))
/// let bytes = try connection.value(of: .sendBuffer)
/// ```
///
/// A value that cannot work throws `SocketError.invalid` where the option is used, before anything is opened.
public struct SocketOption: Hashable, Sendable, CustomStringConvertible {
  /// One setsockopt(2).
  struct Setting: Hashable, Sendable {
    let level: Int32
    let name: Int32
    let value: Int32
  }

  let settings: [Setting]
  /// As it is written in the source, for errors.
  let label: String
  /// Why the value cannot work.
  let problem: String?

  /// Its name and what the kernel is given, in its own units: `keepAlive(60, 10, 3, 1)`.
  public var description: String { "\(label)(\(settings.map { "\($0.value)" }.joined(separator: ", ")))" }

  private init(_ label: String, _ settings: [Setting], problem: String? = nil) {
    self.label = label
    self.settings = settings
    self.problem = problem
  }

  private init(_ label: String, level: Int32, name: Int32, isOn: Bool) {
    self.init(label, [Setting(level: level, name: name, value: isOn ? 1 : 0)])
  }

  /// Sends small messages at once instead of waiting for acknowledgements (`TCP_NODELAY`). On by default.
  public static func noDelay(_ isOn: Bool = true) -> SocketOption {
    SocketOption("noDelay", level: CLINUX_IPPROTO_TCP, name: CLINUX_TCP_NODELAY, isOn: isOn)
  }

  /// Asks a silent peer whether it is still there, and ends the connection with `ETIMEDOUT` when it does not answer
  /// (`SO_KEEPALIVE`, `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`). Off by default.
  ///
  /// - Parameters:
  ///   - idle: the silence before the first question, 1 to 32767 s; rounded up to whole seconds.
  ///   - interval: the time between questions, 1 to 32767 s; rounded up to whole seconds.
  ///   - count: how many questions may stay unanswered, 1 to 127.
  public static func keepAlive(idle: Duration, interval: Duration, count: Int) -> SocketOption {
    let range = Duration.seconds(1)...Duration.seconds(32767)
    let problem: String? =
      if !range.contains(idle) {
        "keepAlive(idle:) must be from 1 to 32767 s, not \(idle.exactly)"
      } else if !range.contains(interval) {
        "keepAlive(interval:) must be from 1 to 32767 s, not \(interval.exactly)"
      } else if !(1...127).contains(count) {
        "keepAlive(count:) must be from 1 to 127, not \(count)"
      } else {
        nil
      }
    return SocketOption(
      "keepAlive",
      [
        Setting(level: CLINUX_IPPROTO_TCP, name: TCP_KEEPIDLE, value: idle.units(of: .seconds(1))),
        Setting(level: CLINUX_IPPROTO_TCP, name: TCP_KEEPINTVL, value: interval.units(of: .seconds(1))),
        Setting(level: CLINUX_IPPROTO_TCP, name: TCP_KEEPCNT, value: Int32(clamping: count)),
        Setting(level: SOL_SOCKET, name: SO_KEEPALIVE, value: 1),
      ], problem: problem)
  }

  /// No keep-alive questions: the default.
  public static let noKeepAlive = SocketOption(
    "noKeepAlive", level: SOL_SOCKET, name: SO_KEEPALIVE, isOn: false)

  /// Ends the connection with `ETIMEDOUT` when what was sent stays unacknowledged for this long
  /// (`TCP_USER_TIMEOUT`, RFC 5482); rounded up to milliseconds, zero for the system's own rule.
  public static func userTimeout(_ limit: Duration) -> SocketOption {
    let isPossible = limit >= .zero && limit <= .milliseconds(Int32.max)
    return SocketOption(
      "userTimeout",
      [
        Setting(
          level: CLINUX_IPPROTO_TCP, name: CLINUX_TCP_USER_TIMEOUT, value: limit.units(of: .milliseconds(1)))
      ], problem: isPossible ? nil : "userTimeout must be from 0 to \(Int32.max) ms, not \(limit.exactly)")
  }

  /// Bytes of the kernel's buffer for output (`SO_SNDBUF`); the kernel doubles the number, and bounds it.
  public static func sendBuffer(_ bytes: Int) -> SocketOption { buffer("sendBuffer", SO_SNDBUF, bytes) }

  /// Bytes of the kernel's buffer for input (`SO_RCVBUF`); the kernel doubles the number, and bounds it.
  public static func receiveBuffer(_ bytes: Int) -> SocketOption { buffer("receiveBuffer", SO_RCVBUF, bytes) }

  private static func buffer(_ label: String, _ name: Int32, _ bytes: Int) -> SocketOption {
    SocketOption(
      label, [Setting(level: SOL_SOCKET, name: name, value: Int32(clamping: bytes))],
      problem: bytes > 0 ? nil : "\(label) must be at least 1 byte, not \(bytes)")
  }

  /// Lets several listeners share an address, among which the kernel spreads the connections (`SO_REUSEPORT`).
  ///
  /// For listeners. Then a second program on the same address is no error any more, and the connections that wait
  /// at a listener which closes are reset.
  public static func reusePort(_ isOn: Bool = true) -> SocketOption {
    SocketOption("reusePort", level: SOL_SOCKET, name: SO_REUSEPORT, isOn: isOn)
  }

  /// Any other option whose value is a C `int`, by the numbers of setsockopt(2).
  public static func raw(level: Int32, name: Int32, value: Int32) -> SocketOption {
    SocketOption(
      "raw \(level)/\(name)", [Setting(level: level, name: name, value: value)])
  }
}

extension SocketOption {
  /// An option whose value can be asked for.
  public struct Key<Value>: Sendable {
    let level: Int32
    let name: Int32
    let label: String
    let value: @Sendable (Int32) -> Value
  }

  func validate() throws(SocketError) {
    if let problem { throw .invalid(problem) }
  }

  func apply(to descriptor: Int32, kernel: any Kernel, address: SocketAddress?) throws(SocketError) {
    for setting in settings {
      let result = kernel.setOption(
        descriptor, level: setting.level, name: setting.name, value: setting.value)
      if result < 0 {
        throw .failed(Errno(Int32(-result)), call: "setsockopt(\(label))", address: address)
      }
    }
  }
}

extension SocketOption {
  /// What a listener sets before it binds. Accepted connections inherit `TCP_NODELAY`, which saves each of them a
  /// system call.
  static func ofListeners(_ address: SocketAddress) -> [SocketOption] {
    let reuseAddress = SocketOption("reuseAddress", level: SOL_SOCKET, name: SO_REUSEADDR, isOn: true)
    let onlyIPv6 = SocketOption("onlyIPv6", level: CLINUX_IPPROTO_IPV6, name: IPV6_V6ONLY, isOn: true)
    return switch address.storage {
    case .unix, .abstract: []
    case .ipv4: [reuseAddress, .noDelay()]
    case .ipv6: [reuseAddress, onlyIPv6, .noDelay()]
    }
  }
}

extension SocketOption {
  /// What a socket gets before it connects.
  static func ofClients(_ address: SocketAddress, boundTo local: SocketAddress?) -> [SocketOption] {
    if address.isUnix { return [] }
    guard let local else { return [.noDelay()] }
    // Without a port the choice waits until the destination is known, of which each has all the ports; with one it must
    // not fail for a connection of before.
    let port =
      local.port == 0
      ? SocketOption(
        "bindAddressNoPort", level: CLINUX_IPPROTO_IP, name: CLINUX_IP_BIND_ADDRESS_NO_PORT, isOn: true)
      : SocketOption("reuseAddress", level: SOL_SOCKET, name: SO_REUSEADDR, isOn: true)
    return [.noDelay(), port]
  }
}

extension SocketOption.Key<Bool> {
  /// See `SocketOption.noDelay(_:)`.
  public static var noDelay: Self {
    Self(level: CLINUX_IPPROTO_TCP, name: CLINUX_TCP_NODELAY, label: "noDelay") { $0 != 0 }
  }
  /// Whether `SocketOption.keepAlive(idle:interval:count:)` is on.
  public static var keepAlive: Self {
    Self(level: SOL_SOCKET, name: SO_KEEPALIVE, label: "keepAlive") { $0 != 0 }
  }
  /// See `SocketOption.reusePort(_:)`.
  public static var reusePort: Self {
    Self(level: SOL_SOCKET, name: SO_REUSEPORT, label: "reusePort") { $0 != 0 }
  }
}

extension SocketOption.Key<Duration> {
  /// The silence before the first keep-alive question.
  public static var keepAliveIdle: Self {
    Self(level: CLINUX_IPPROTO_TCP, name: TCP_KEEPIDLE, label: "keepAliveIdle") { .seconds($0) }
  }
  /// The time between keep-alive questions.
  public static var keepAliveInterval: Self {
    Self(level: CLINUX_IPPROTO_TCP, name: TCP_KEEPINTVL, label: "keepAliveInterval") { .seconds($0) }
  }
  /// See `SocketOption.userTimeout(_:)`.
  public static var userTimeout: Self {
    Self(level: CLINUX_IPPROTO_TCP, name: CLINUX_TCP_USER_TIMEOUT, label: "userTimeout") {
      .milliseconds($0)
    }
  }
}

extension SocketOption.Key<Int> {
  /// How many keep-alive questions may stay unanswered.
  public static var keepAliveCount: Self {
    Self(level: CLINUX_IPPROTO_TCP, name: TCP_KEEPCNT, label: "keepAliveCount") { Int($0) }
  }
  /// Bytes of the kernel's buffer for output, its own bookkeeping included: twice what was asked for.
  public static var sendBuffer: Self {
    Self(level: SOL_SOCKET, name: SO_SNDBUF, label: "sendBuffer") { Int($0) }
  }
  /// Bytes of the kernel's buffer for input, its own bookkeeping included: twice what was asked for.
  public static var receiveBuffer: Self {
    Self(level: SOL_SOCKET, name: SO_RCVBUF, label: "receiveBuffer") { Int($0) }
  }
}

extension SocketOption.Key<Int32> {
  /// Any other option whose value is a C `int`, by the numbers of getsockopt(2).
  public static func raw(level: Int32, name: Int32) -> Self {
    Self(level: level, name: name, label: "raw(level: \(level), name: \(name))") { $0 }
  }
}

extension Duration {
  /// How many units, rounded up; out of range, the nearest number in it.
  fileprivate func units(of unit: Duration) -> Int32 {
    let limit = unit * Int(Int32.max)
    if self >= limit { return .max }
    if self <= .zero { return 0 }
    let whole = Int32(self / unit)
    return unit * Int(whole) < self ? whole + 1 : whole
  }
}
