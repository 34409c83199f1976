import AsyncSockets

extension TCPServer {
  /// What an admission throws to refuse a connection, and what the peer gets to see of it.
  public struct Refusal: Error, Hashable, Sendable {
    enum Manner: Hashable, Sendable {
      case goodbye([UInt8])
      case reset
    }

    let manner: Manner
    /// Why, for the event; the peer is not told.
    public let reason: String?

    /// The peer sees the end of the stream, and nothing else.
    public static func silent(because reason: String? = nil) -> Refusal { goodbye([], because: reason) }

    /// The peer sees a reset. It costs least, for the server and for the network.
    public static func reset(because reason: String? = nil) -> Refusal {
      Refusal(manner: .reset, reason: reason)
    }

    /// The peer is sent these bytes, then the end of the stream. It has a second to take them.
    public static func goodbye(_ bytes: [UInt8], because reason: String? = nil) -> Refusal {
      Refusal(manner: .goodbye(bytes), reason: reason)
    }

    /// The peer is sent this text as UTF-8, then the end of the stream. It has a second to take it.
    public static func goodbye(_ text: String, because reason: String? = nil) -> Refusal {
      goodbye(Array(text.utf8), because: reason)
    }
  }
}

extension TCPServer.Refusal: CustomStringConvertible {
  /// The reason, or that there was none.
  public var description: String { reason ?? "not admitted" }
}
