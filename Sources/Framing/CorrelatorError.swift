/// Why a request cannot be made, or gets no reply.
public enum CorrelatorError: Error, Hashable, Sendable {
  /// As many requests as allowed have no reply yet, cancelled ones included.
  case tooManyRequests(limit: Int)
  /// A request with the same id, in words, has no reply yet.
  case idInUse(String)
  /// A frame without an id can't be a request whose reply is found by its id.
  case noID
  /// A frame came, of which this is the beginning, that answers no request, and nobody takes such frames.
  case unsolicited(String)
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
    case .noID:
      "the request has no id by which its reply could be found; give it one, or send it without waiting"
    case .unsolicited(let frame):
      "a frame came that answers no request: \(frame); take such frames with next() or inbound, or keep some"
    case .ended:
      "the connection has ended, so no reply can come"
    }
  }
}
