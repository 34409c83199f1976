import Glibc

/// Prints what a test has measured for a promise of Docs/Promises.md, as one line, in runs that ask for it
/// (`ASYNCSOCKETS_FIGURES=1`) and in long ones: `P58: ended after their message's limit by at most: 1 ms`.
public func figure(_ promise: String, _ what: String, _ value: some CustomStringConvertible) {
  guard unsafe getenv("ASYNCSOCKETS_FIGURES") != nil || getenv("ASYNCSOCKETS_SLOW") != nil else { return }
  print("\(promise): \(what): \(value)")
}

extension Duration {
  /// In milliseconds, for a figure.
  public var inMilliseconds: String {
    let microseconds = Int64(self / .microseconds(1))
    return "\(microseconds / 1000).\("\(1000 + microseconds % 1000)".dropFirst()) ms"
  }
}
