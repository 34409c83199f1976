import AsyncSockets

/// What the checks are told of the streams.
package struct StreamSetup: Sendable {
  package var capabilities = StreamCapabilities.all
  package var watermarks = Watermarks.standard
  package var writeStallLimit: Duration? = .seconds(30)
  /// How many bytes a large transfer is.
  package var bulk = 300_000
  /// How many bytes a transport may hold for a reader that does not read.
  package var mostBuffered = 32 << 20
}
