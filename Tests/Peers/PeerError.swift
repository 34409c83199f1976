import CLinux
import Glibc

/// Why a peer could not do what a test asked of it.
public enum PeerError: Error, Equatable {
  /// The other side did not do in time what the peer waited for.
  case timedOut(waitingFor: String, after: Duration)
  /// The stream ended before everything that was waited for had come.
  case ended(waitingFor: String, received: [UInt8])
  /// A system call failed.
  case failed(call: String, errno: Int32)
  /// The test asked for something that cannot be.
  case invalid(String)

  /// Whether the other side reset the connection.
  public var isReset: Bool {
    if case .failed(_, ECONNRESET) = self { true } else { false }
  }

  /// The error of the system call that has just failed on this thread.
  static func last(_ call: String) -> PeerError { .failed(call: call, errno: errno) }
}

extension PeerError: CustomStringConvertible {
  /// The whole story in one line.
  public var description: String {
    switch self {
    case .timedOut(let what, let limit):
      "waited \(limit) in vain for \(what)"
    case .ended(let what, let received):
      "the stream ended after \(received.count) bytes, \(printable(received)), while waiting for \(what)"
    case .failed(let call, let errno):
      "\(call): \(errnoName(errno))"
    case .invalid(let message):
      message
    }
  }
}

/// The symbolic name of an error number, such as `ECONNRESET`.
func errnoName(_ number: Int32) -> String {
  guard let name = unsafe strerrorname_np(number) else { return "errno \(number)" }
  return unsafe String(cString: name)
}

/// The end of `bytes` as text in quotes, for messages.
private func printable(_ bytes: [UInt8]) -> String {
  let tail = String(decoding: bytes.suffix(60), as: UTF8.self)
  return bytes.count > 60 ? "ending in \(tail.debugDescription)" : tail.debugDescription
}
