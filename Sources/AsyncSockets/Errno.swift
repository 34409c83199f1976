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
  package static let wouldBlock = Errno(EAGAIN)
  package static let interrupted = Errno(EINTR)
  package static let connectionReset = Errno(ECONNRESET)
  package static let brokenPipe = Errno(EPIPE)
  package static let notConnected = Errno(ENOTCONN)
  package static let badDescriptor = Errno(EBADF)
  package static let addressInUse = Errno(EADDRINUSE)
  package static let addressNotAvailable = Errno(EADDRNOTAVAIL)
  package static let alreadyConnected = Errno(EISCONN)
  package static let connectionRefused = Errno(ECONNREFUSED)
  package static let inProgress = Errno(EINPROGRESS)
  package static let timedOut = Errno(ETIMEDOUT)
  package static let invalidArgument = Errno(EINVAL)
  package static let noSuchFile = Errno(ENOENT)
  package static let tooManyOpenFiles = Errno(EMFILE)
  package static let tooManyOpenFilesInSystem = Errno(ENFILE)
  package static let noBufferSpace = Errno(ENOBUFS)
  package static let outOfMemory = Errno(ENOMEM)
  package static let wrongSocketType = Errno(EPROTOTYPE)
  package static let protocolError = Errno(EPROTO)
  package static let noSuchOption = Errno(ENOPROTOOPT)
  package static let accessDenied = Errno(EACCES)
  package static let notPermitted = Errno(EPERM)
  package static let networkDown = Errno(ENETDOWN)
}
