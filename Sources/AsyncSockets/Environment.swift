/// Where a server or client finds its event loops, and through them its time, the addresses of names, and chance.
///
/// It is read once, when something binds or connects, from the current task; a test or simulation puts its own
/// there with `Environment.$current.withValue`.
public struct Environment: Sendable {
  private let group: EventLoopGroup?
  private let ownResolver: (any Resolver)?
  private let ownRandom: RandomSource?

  /// An environment with loops, a resolver and random numbers of its own; by default the shared loops and what the
  /// system has.
  public init(
    loops: EventLoopGroup? = nil, resolver: (any Resolver)? = nil, random: RandomSource? = nil
  ) {
    group = loops
    ownResolver = resolver
    ownRandom = random
  }

  /// Finds the addresses of names.
  public var resolver: any Resolver {
    ownResolver ?? Self.ofThread?.resolver ?? SystemResolver.shared
  }

  /// What is drawn at random, such as a client's pauses, is drawn from this.
  public var random: RandomSource { ownRandom ?? Self.ofThread?.random ?? RandomSource() }

  /// The loops to work on.
  ///
  /// - Throws: `SocketError.failed` when the shared loops cannot be started.
  public var loops: EventLoopGroup {
    get throws(SocketError) {
      if let group { return group }
      if let simulated = Self.ofThread { return try simulated.loops }
      return try EventLoopGroup.shared
    }
  }

  /// By thread: what is not told its environment, such as a detached task, has that of the simulation which it runs in.
  private static let ofThreads = Lock<[UInt: Environment]>([:])

  private static var ofThread: Environment? { ofThreads.withLock { $0[CurrentThread.identity] } }

  /// Sets what the calling thread falls back to; `nil` before it ends.
  package static func setFallback(_ environment: Environment?) {
    ofThreads.withLock { $0[CurrentThread.identity] = environment }
  }

  /// The environment of the current task.
  @TaskLocal public static var current = Environment()
}
