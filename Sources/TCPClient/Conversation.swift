/// What a run has to know of those who use its connections.
struct Conversation {
  let isFramed: Bool
  /// Throws what is wrong with what they were given, before anything is opened.
  var validate: @Sendable () throws -> Void = {}
  /// Called when the run begins.
  var began: @Sendable () -> Void = {}
  /// Called when the body has ended.
  var disconnected: @Sendable () -> Void = {}
  /// Called when the run is over.
  var ended: @Sendable (TCPClient.Ending) -> Void = { _ in }
}
