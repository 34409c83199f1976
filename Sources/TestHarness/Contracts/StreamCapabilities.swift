/// What a byte stream can do; what it can't is not checked.
public struct StreamCapabilities: OptionSet, Hashable, Sendable {
  /// The bits of the set.
  public let rawValue: Int

  /// A set of capabilities.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// An abort reaches the peer as a reset. A Unix socket has none (unless input was left unread).
  public static let reset = StreamCapabilities(rawValue: 1)
  /// One direction can end while the other goes on.
  public static let halfClose = StreamCapabilities(rawValue: 2)
  /// Everything.
  public static let all: StreamCapabilities = [.reset, .halfClose]
}
