import Framing

/// Messages to many connections at once: a chat room, a ticker, a lobby.
///
/// ```swift
/// let room = Broadcast(LineFraming())
/// try await TCPServer.serve(on: .any(port: 7000), framing: LineFraming()) { connection in
///   try await room.join(connection) {
///     for try await line in connection.inbound { try await room.send(line) }
///   }
/// }
/// ```
///
/// A message is encoded once, and its bytes are shared by all. It may be sent from any task, whatever loops the members
/// live on. For each of them it is a send like any other: whole, and in order with those of the same sender; several
/// senders may be seen in different orders by different members.
///
/// A slow member never delays the others, and costs no more memory than its output buffer and what
/// `SlowConsumerPolicy.dropOldest` keeps for it.
public final class Broadcast<F: Framing>: Sendable {
  /// A connection that has joined.
  public typealias Member = FramedConnection<F>

  /// The members and their seats by the same numbers, with gaps where somebody has left.
  struct Roll {
    private(set) var members: [Member?] = []
    private(set) var seats: [BroadcastSeat?] = []
    private(set) var count = 0
    /// Gaps, and what has been one.
    private var free: [Int] = []

    /// A number that nobody has.
    mutating func takeIndex() -> Int {
      while let index = free.popLast() { if index < seats.count, seats[index] == nil { return index } }
      return seats.count
    }

    mutating func enter(_ member: Member, _ seat: BroadcastSeat) {
      count += 1
      if seat.index == seats.count {
        seats.append(seat)
        members.append(member)
      } else {
        seats[seat.index] = seat
        members[seat.index] = member
      }
    }

    mutating func leave(_ index: Int) {
      count -= 1
      seats[index] = nil
      members[index] = nil
      if count == 0 {
        self = Roll()
      } else if index < seats.count - 1 {
        free.append(index)
      } else {
        while case .some(nil) = seats.last {
          seats.removeLast()
          members.removeLast()
        }
      }
    }
  }

  let framing: F
  private let slowConsumers: SlowConsumerPolicy
  private let state = Lock(Roll())

  /// A broadcast without members.
  ///
  /// - Parameters:
  ///   - framing: encodes what is sent, every message with a new encoder; so it must not be one whose encoder has a
  ///     memory, and must agree with what the members expect.
  ///   - slowConsumers: what is done about members who are too slow; by default they are disconnected.
  public init(_ framing: F, slowConsumers: SlowConsumerPolicy = .disconnect) {
    self.framing = framing
    self.slowConsumers = slowConsumers
  }

  /// How many members there are.
  public var count: Int { state.withLock { $0.count } }

  /// The members.
  public var members: [Member] { roll.members.compactMap { $0 } }

  var roll: Roll { state.withLock { $0 } }

  // MARK: Joining

  /// Makes a connection a member for as long as `body` runs. What is still kept for it then is dropped.
  ///
  /// - Returns: what `body` returns.
  /// - Throws: what `body` throws.
  public func join<Value>(
    _ connection: Member, _ body: () async throws -> Value
  ) async throws -> Value {
    let seat = enter(connection, driver: nil)
    defer { leave(seat) }
    guard slowConsumers.keepsMessages else { return try await body() }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await seat.sendKept() }
      defer { group.cancelAll() }
      return try await body()
    }
  }

  func enter(_ connection: Member, driver: CodecDriver<F>?) -> BroadcastSeat {
    state.withLock { state in
      let seat = BroadcastSeat(connection, driver, in: self, at: state.takeIndex(), slowConsumers)
      state.enter(connection, seat)
      return seat
    }
  }

  func leave(_ seat: BroadcastSeat) {
    state.withLock { $0.leave(seat.index) }
  }

  // MARK: Sending

  /// Sends one message to all members, or to all but one: usually the one it came from.
  ///
  /// It waits for nobody, unless the policy is `SlowConsumerPolicy.wait`. Cancelled in such a wait, it returns, and those
  /// who were waited for are among the dropped.
  ///
  /// - Returns: who got it and who did not.
  /// - Throws: `FramingError` when the message cannot be encoded; then nobody gets it.
  @discardableResult
  public func send(
    _ message: F.Encoder.Frame, except: Member? = nil
  ) async throws(FramingError) -> Delivery<Member> {
    try await send(message, to: roll) { $0.member !== except }
  }

  /// Sends one message to some of the members; see `send(_:except:)`.
  ///
  /// - Parameter isReceiver: asked once about each member, in the task of the caller.
  @discardableResult
  public func send(
    _ message: F.Encoder.Frame, where isReceiver: (Member) -> Bool
  ) async throws(FramingError) -> Delivery<Member> {
    let roll = roll
    return try await send(message, to: roll) { seat in roll.members[seat.index].map(isReceiver) ?? false }
  }

  /// Sends one message to all members, or to all but one, and waits for nobody: for whoever can't wait, such as a
  /// `ConnectionHandler`. As `send(_:except:)`, but those who would have to be waited for under `SlowConsumerPolicy.wait`
  /// do not get it, and are among the dropped.
  @discardableResult
  public func offer(
    _ message: F.Encoder.Frame, except: Member? = nil
  ) throws(FramingError) -> Delivery<Member> {
    try offer(message, to: roll) { $0.member !== except }
  }

  /// Sends one message to some of the members, and waits for nobody; see `offer(_:except:)`.
  @discardableResult
  public func offer(
    _ message: F.Encoder.Frame, where isReceiver: (Member) -> Bool
  ) throws(FramingError) -> Delivery<Member> {
    let roll = roll
    return try offer(message, to: roll) { seat in roll.members[seat.index].map(isReceiver) ?? false }
  }

  private func send(
    _ message: F.Encoder.Frame, to roll: Roll, where isReceiver: (BroadcastSeat) -> Bool
  ) async throws(FramingError) -> Delivery<Member> {
    let bytes = try encode(message)
    var outcomes = BroadcastSeat.outcomes(roll.seats, where: isReceiver)
    await slowConsumers.deliver(bytes, to: roll.seats, &outcomes)
    return Delivery(receivers: roll.members, outcomes: outcomes)
  }

  func offer(
    _ message: F.Encoder.Frame, to roll: Roll, where isReceiver: (BroadcastSeat) -> Bool
  ) throws(FramingError) -> Delivery<Member> {
    let bytes = try encode(message)
    var outcomes = BroadcastSeat.outcomes(roll.seats, where: isReceiver)
    slowConsumers.offer(bytes, to: roll.seats, &outcomes)
    return Delivery(receivers: roll.members, outcomes: outcomes.map { $0 == .pending ? .dropped : $0 })
  }

  private func encode(_ message: F.Encoder.Frame) throws(FramingError) -> [UInt8] {
    var bytes: [UInt8] = []
    var encoder = framing.makeEncoder()
    try encoder.encode(message, into: &bytes)
    return bytes
  }
}

extension Broadcast: BroadcastRoom {}
