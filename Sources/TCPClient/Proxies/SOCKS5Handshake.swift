import AsyncSockets
import Framing

/// SOCKS5 (RFC 1928) with no authentication or by username and password (RFC 1929).
struct SOCKS5Handshake: ProxyHandshake {
  private enum Phase { case method, authentication, reply, over }

  private enum Method {
    static let none: UInt8 = 0x00
    static let password: UInt8 = 0x02
    static let nothingAcceptable: UInt8 = 0xFF
  }

  private enum AddressType {
    static let ipv4: UInt8 = 0x01
    static let name: UInt8 = 0x03
    static let ipv6: UInt8 = 0x04
  }

  private static let version: UInt8 = 5
  private static let passwordVersion: UInt8 = 1

  private let request: [UInt8]
  /// The message that authenticates; `nil` without credentials.
  private let authentication: [UInt8]?
  private var phase = Phase.method

  init(for target: ProxyTarget, credentials: Proxy.Credentials?) throws(SocketError) {
    request = Self.request(for: target)
    authentication = if let credentials { try Self.authentication(by: credentials) } else { nil }
  }

  var greeting: [UInt8] {
    let methods = authentication == nil ? [Method.none] : [Method.none, Method.password]
    return [Self.version, UInt8(methods.count)] + methods
  }

  mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> ProxyStep? {
    switch phase {
    case .method: try decodeMethod(&buffer)
    case .authentication: try decodeStatus(&buffer)
    case .reply: try decodeReply(&buffer)
    case .over: nil
    }
  }

  // MARK: What the proxy says

  private mutating func decodeMethod(_ buffer: inout ReceiveBuffer) throws(FramingError) -> ProxyStep? {
    try Self.check(Self.version, "version", in: buffer)
    guard buffer.count >= 2 else { return nil }
    switch (buffer[1], authentication) {
    case (Method.none, _):
      phase = .reply
      buffer.consume(2)
      return .send(request)
    case (Method.password, let authentication?):
      phase = .authentication
      buffer.consume(2)
      return .send(authentication)
    case (Method.nothingAcceptable, nil): return refuse(.credentialsRequired)
    case (Method.nothingAcceptable, _): return refuse(.noAuthenticationInCommon)
    case (let method, _):
      throw .malformed("authentication method \(method) was not offered", offset: buffer.offset + 1)
    }
  }

  private mutating func decodeStatus(_ buffer: inout ReceiveBuffer) throws(FramingError) -> ProxyStep? {
    try Self.check(Self.passwordVersion, "version of the password's answer", in: buffer)
    guard buffer.count >= 2 else { return nil }
    guard buffer[1] == 0 else { return refuse(.credentialsRejected) }
    phase = .reply
    buffer.consume(2)
    return .send(request)
  }

  private mutating func decodeReply(_ buffer: inout ReceiveBuffer) throws(FramingError) -> ProxyStep? {
    try Self.check(Self.version, "version", in: buffer)
    guard buffer.count >= 2 else { return nil }
    // At once, since proxies are known that leave out the rest of a refusal.
    let reply = SOCKS5Reply(rawValue: buffer[1])
    guard reply == .succeeded else { return refuse(.refused(reply)) }
    guard buffer.count >= 5 else { return nil }
    let address: Int
    switch buffer[3] {
    case AddressType.ipv4: address = 4
    case AddressType.ipv6: address = 16
    case AddressType.name: address = 1 + Int(buffer[4])
    case let type: throw .malformed("address type \(type) is none of 1, 3 and 4", offset: buffer.offset + 3)
    }
    let count = 4 + address + 2
    guard buffer.count >= count else { return nil }
    phase = .over
    buffer.consume(count)
    return .established
  }

  private mutating func refuse(_ reason: ProxyError.Reason) -> ProxyStep {
    phase = .over
    return .refused(reason)
  }

  private static func check(
    _ version: UInt8, _ name: String, in buffer: borrowing ReceiveBuffer
  ) throws(FramingError) {
    guard !buffer.isEmpty, buffer[0] != version else { return }
    throw .malformed("the \(name) is \(buffer[0]), not \(version)", offset: buffer.offset)
  }

  // MARK: What the client says

  private static func request(for target: ProxyTarget) -> [UInt8] {
    var bytes: [UInt8] = [version, 1, 0]
    if let address = target.address?.ipBytes {
      bytes += [address.count == 4 ? AddressType.ipv4 : AddressType.ipv6] + address
    } else {
      bytes += [AddressType.name, UInt8(target.host.utf8.count)] + target.host.utf8
    }
    return bytes + ByteOrder.big.bytes(of: target.port)
  }

  private static func authentication(by credentials: Proxy.Credentials) throws(SocketError) -> [UInt8] {
    let (name, password) = (Array(credentials.username.utf8), Array(credentials.password.utf8))
    guard (1...255).contains(name.count), (1...255).contains(password.count) else {
      throw .invalid(
        "a SOCKS5 proxy takes a username and a password of 1 to 255 bytes, not \(name.count) and \(password.count)"
      )
    }
    return [passwordVersion, UInt8(name.count)] + name + [UInt8(password.count)] + password
  }
}
