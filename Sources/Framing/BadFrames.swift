/// What a decoder does with a frame that breaks the rules, where the next one can be told from it.
public enum BadFrames: Hashable, Sendable {
  /// It throws, and stays failed.
  case fail
  /// It drops the frame, counts it, and goes on with the next one.
  ///
  /// For media that damage bytes, and for logs; a peer that speaks the protocol over TCP never sends such frames.
  case skip
}
