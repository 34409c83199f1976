/// What a run has to know of those who use its connections.
struct Conversation {
  let isFramed: Bool
  /// Called when the body has ended.
  var disconnected: @Sendable () -> Void = {}
  /// Called when the run is over.
  var ended: @Sendable (TCPClient.Ending) -> Void = { _ in }
}
