import CLinux

/// An error number of the system, as `errno(3)` lists them.
public struct Errno: RawRepresentable, Error, Hashable, Sendable {
  /// The number itself, positive.
  public let rawValue: Int32

  /// Wraps a positive error number.
  public init(rawValue: Int32) { self.rawValue = rawValue }

  init(_ rawValue: Int32) { self.rawValue = rawValue }
}

extension Errno {
  /// The symbolic name, such as `ECONNRESET`.
  public var name: String {
    guard let name = unsafe strerrorname_np(rawValue) else { return "errno \(rawValue)" }
    return unsafe String(cString: name)
  }

  /// What the system says of it, such as "Connection reset by peer".
  public var message: String {
    guard let message = unsafe strerrordesc_np(rawValue) else { return "unknown error" }
    return unsafe String(cString: message)
  }
}

extension Errno: CustomStringConvertible {
  /// `ECONNRESET (Connection reset by peer)`.
  public var description: String { "\(name) (\(message))" }
}

extension Errno {
  static let wouldBlock = Errno(EAGAIN)
  static let interrupted = Errno(EINTR)
  static let connectionReset = Errno(ECONNRESET)
  static let brokenPipe = Errno(EPIPE)
  static let notConnected = Errno(ENOTCONN)
  static let badDescriptor = Errno(EBADF)
  static let addressInUse = Errno(EADDRINUSE)
  static let addressNotAvailable = Errno(EADDRNOTAVAIL)
  static let alreadyConnected = Errno(EISCONN)
  static let connectionRefused = Errno(ECONNREFUSED)
  static let inProgress = Errno(EINPROGRESS)
}
