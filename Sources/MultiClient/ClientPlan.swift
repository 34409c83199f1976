import AsyncSockets

/// How a client is to behave, and where it will live.
@usableFromInline
struct ClientPlan {
  var configuration: MultiClientConfiguration
  let loop: EventLoop
  let resolver: any Resolver
  /// Why it cannot work, of which every target is told.
  private(set) var defect: SocketError?

  /// Stops the program if this process cannot start its first event loop.
  @usableFromInline
  init(atMost window: Int) {
    var configuration = MultiClientConfiguration()
    configuration.limits.open = window
    let environment = Environment.current
    do throws(SocketError) {
      self.init(configuration, on: try environment.loops.here(), resolver: environment.resolver)
    } catch {
      preconditionFailure("an event loop cannot be started: \(error)")
    }
    do throws(SocketError) { try configuration.validate() } catch { defect = error }
  }

  /// - Throws: `SocketError.invalid` for a value that cannot work, `.failed` when the shared loops cannot be started.
  @usableFromInline
  init(_ configuration: MultiClientConfiguration, _ environment: Environment) throws(SocketError) {
    try configuration.validate()
    self.init(configuration, on: try environment.loops.here(), resolver: environment.resolver)
  }

  init(_ configuration: MultiClientConfiguration, on loop: EventLoop, resolver: any Resolver) {
    self.configuration = configuration
    self.loop = loop
    self.resolver = resolver
  }
}
