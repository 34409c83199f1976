/// Why a request cannot be made now.
public enum CorrelatorError: Error, Hashable, Sendable {
  /// As many requests as allowed have no reply yet, cancelled ones included.
  case tooManyRequests(limit: Int)
  /// A request with the same id, in words, has no reply yet.
  case idInUse(String)
  /// The connection has ended.
  case ended
}

extension CorrelatorError: CustomStringConvertible {
  /// What is wrong, and what to do about it.
  public var description: String {
    switch self {
    case .tooManyRequests(let limit):
      "\(limit) requests have no reply yet, which is the limit; wait for replies, or allow more"
    case .idInUse(let id):
      "a request with the id \(id) has no reply yet; give each request an id of its own"
    case .ended:
      "the connection has ended, so no reply can come"
    }
  }
}
