import AsyncSockets

/// Finds what a test left behind: descriptors, and what its event loops still hold.
///
/// ```swift
/// try await withAuditedLoops { loops in … }
/// ```
public struct ResourceAudit: Sendable {
  /// A descriptor's number and what it refers to, as `/proc/self/fd` names it.
  public struct OpenDescriptor: Hashable, Sendable, CustomStringConvertible {
    /// The number.
    public let number: Int
    /// What it refers to, such as `socket:[123]`.
    public let target: String
    /// `7 -> socket:[123]`.
    public var description: String { "\(number) -> \(target)" }
  }

  /// The descriptors that the process has open now.
  public static func openDescriptors() -> [OpenDescriptor] {
    ProcessFiles.openDescriptors().map { OpenDescriptor(number: $0.number, target: $0.target) }
  }

  /// How many threads the process has now.
  public static func threadCount() -> Int { ProcessFiles.threadCount() }

  private let before: Set<OpenDescriptor>

  /// Remembers what is open now.
  public init() { before = Set(Self.openDescriptors()) }

  /// Descriptors that are open now and were not then, in the order of their numbers.
  public var leaked: [OpenDescriptor] {
    Self.openDescriptors().filter { !before.contains($0) }
  }
}

/// Something was left behind.
public struct ResourcesLeaked: Error, CustomStringConvertible {
  /// What, and where it belongs.
  public let description: String
}

extension ResourcesLeaked {
  /// `nil` when no connection was dropped.
  fileprivate init?(abandonedOn loops: [EventLoop]) {
    let count = loops.reduce(0) { $0 + $1.census.abandonedConnections }
    if count == 0 { return nil }
    let peers = loops.flatMap(\.abandonedPeers).map { $0?.description ?? "an unnamed peer" }
    self.init(
      description: "\(count.of("connection")) dropped without close() or abort(): with "
        + peers.joined(separator: ", ") + (count > peers.count ? ", …" : ""))
  }
}

/// Gives the body event loops of its own, and throws if it leaves anything behind on them.
///
/// The loops hold no registration and no deadline, and no connection was abandoned, when the body has returned;
/// then they are stopped. Descriptors are counted for the process as a whole, so that only tests which run alone can
/// ask for `countingDescriptors`.
///
/// - Parameters:
///   - count: how many loops.
///   - clock: what they measure time by.
///   - countingDescriptors: whether to compare the process's open descriptors as well.
///   - body: runs with the loops as its task's `Environment`.
/// - Throws: `ResourcesLeaked`, or what the body throws.
public func withAuditedLoops<Result>(
  count: Int = 1, clock: any LoopClock = MonotonicClock.shared, countingDescriptors: Bool = false,
  _ body: (EventLoopGroup) async throws -> Result
) async throws -> Result {
  // Looking at all descriptors of a process takes long where there are thousands.
  let audit = countingDescriptors ? ResourceAudit() : nil
  let group = try EventLoopGroup(count: count, clock: clock)
  let result: Result
  do {
    result = try await Environment.$current.withValue(Environment(loops: group)) { try await body(group) }
    try await eventually("the loops hold nothing: \(group.loops.map(\.census))") {
      group.loops.allSatisfy { $0.census.registrations == 0 && $0.census.deadlines == 0 }
    }
  } catch {
    await group.shutdown()
    throw error
  }
  await group.shutdown()
  if let leak = ResourcesLeaked(abandonedOn: group.loops) { throw leak }
  if let audit {
    // The loops' own descriptors go with their last reference, which their threads may hold a moment longer. The
    // runtime opens the like for itself, and a timer, when something first sleeps.
    let own = ["anon_inode:[eventpoll]", "anon_inode:[eventfd]", "anon_inode:[timerfd]"]
    try await eventually("no descriptor is left: \(audit.leaked)") {
      audit.leaked.allSatisfy { own.contains($0.target) }
    }
  }
  return result
}

/// Runs the body on the event loops of the task's environment if it has any of its own. Else it gets one, which must hold
/// nothing in the end.
func withLoopsOfItsOwn<Result>(_ body: (Environment) async throws -> Result) async throws -> Result {
  let current = Environment.current
  if try current.loops !== EventLoopGroup.shared { return try await body(current) }
  let group = try EventLoopGroup(count: 1)
  let environment = Environment(loops: group, resolver: current.resolver)
  let result: Result
  do {
    result = try await Environment.$current.withValue(environment) { try await body(environment) }
    let loop = group.loops[0]
    // What was closed elsewhere leaves the loop's table in its next turn.
    for _ in 0..<2 { await loop.nextTurn() }
    let census = loop.census
    if census.registrations > 0 || census.deadlines > 0 {
      throw ResourcesLeaked(description: "the test has ended, and has left open:\n\(await loop.snapshot())")
    }
    if let leak = ResourcesLeaked(abandonedOn: [loop]) { throw leak }
  } catch {
    await group.shutdown()
    throw error
  }
  await group.shutdown()
  return result
}
