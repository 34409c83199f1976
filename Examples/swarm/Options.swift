import MultiClient

/// What a run is to do.
struct Options: Equatable {
  /// Where to; `nil` for an echo server of its own.
  var target: Target?
  var connections = 2000
  /// Of each connection; `nil` for no end but that of `duration`.
  var messages: Int? = 20
  var duration: Duration?
  /// Connections opened a second; `nil` for as fast as can be.
  var ramp: Double?
  /// Messages a second, of all connections together; `nil` for as fast as replies come.
  var rate: Double?
  var think = Duration.zero
  var timeout = Duration.seconds(10)
  var loops = 1
  var script = Script(.numbered(size: 64), expecting: .echo)
  var printsJSON = false
}

/// What the command line asks for.
enum Command: Equatable {
  case run(Options)
  case merge([String], printsJSON: Bool)
  case help
}

/// A mistake of the user's: which option, what was wrong with it, and what to do.
struct UsageError: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
