/// Where a server or client finds its event loops, and through them its time, and the addresses of names.
///
/// It is read once, when something binds or connects, from the current task; a test or simulation puts its own
/// there with `Environment.$current.withValue`.
public struct Environment: Sendable {
  private let group: EventLoopGroup?

  /// Finds the addresses of names.
  public let resolver: any Resolver

  /// An environment with loops and a resolver of its own; by default the shared loops and the system's resolver.
  public init(loops: EventLoopGroup? = nil, resolver: any Resolver = SystemResolver.shared) {
    group = loops
    self.resolver = resolver
  }

  /// The loops to work on.
  ///
  /// - Throws: `SocketError.failed` when the shared loops cannot be started.
  public var loops: EventLoopGroup {
    get throws(SocketError) {
      if let group { group } else { try EventLoopGroup.shared }
    }
  }

  /// The environment of the current task.
  @TaskLocal public static var current = Environment()
}
