import Synchronization

/// What a framed connection has to look at before it takes or sends a frame.
@usableFromInline
enum FramedPhase: UInt8, AtomicRepresentable, Sendable {
  case live
  /// Somebody wants to know of the first frame.
  case awaitsFirstFrame
  /// Another codec has taken over.
  case switched
}
