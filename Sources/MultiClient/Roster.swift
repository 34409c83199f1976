import AsyncSockets

/// The connections of a client by their places, and what is noted of them whenever their handlers are called.
///
/// It does not know the handlers' type: what a message costs is compiled as it stands, where a method of `ClientCore`
/// is compiled for all types at once, at several times the cost. For the loop's thread alone.
@usableFromInline
final class Roster: Sendable {
  /// Makes what drivers call their handlers by, out of the roster and who is told of their ends: where the handlers'
  /// type is known.
  @usableFromInline
  typealias ReactionMaker =
    @Sendable (Roster, _ ended: @escaping @Sendable (ConnectionDriver) -> Void) -> ConnectionDriver.Reactions

  struct State {
    var members: ContiguousArray<Membership?> = []
    var freeSlots: [Int] = []
    var lastSerial: UInt32 = 0
    /// The place of the one whose callback is being made; -1 for none.
    var running = -1
    /// Whether that one was being read before.
    var wasReading = false
    var replyLatency = LatencyHistogram()
  }

  let loop: EventLoop
  /// Which client of a group.
  let number: UInt8
  let measuresReplies: Bool
  let local = LoopConfined(State())

  init(on loop: EventLoop, number: UInt8, measuresReplies: Bool) {
    self.loop = loop
    self.number = number
    self.measuresReplies = measuresReplies
  }

  // MARK: Who is there

  var count: Int { local.value.members.count - local.value.freeSlots.count }

  subscript(_ id: ConnectionID) -> Membership? {
    let members = local.value.members
    guard id.client == number, id.slot < members.count, let member = members[id.slot], member.id == id else {
      return nil
    }
    return member
  }

  /// A name that nobody has, and a place.
  func reserve() -> ConnectionID {
    local.value.lastSerial &+= 1
    if local.value.lastSerial == 0 { local.value.lastSerial = 1 }
    return ConnectionID(serial: local.value.lastSerial, client: number, slot: reserveSlot())
  }

  private func reserveSlot() -> Int {
    if let slot = local.value.freeSlots.popLast() { return slot }
    local.value.members.append(nil)
    return local.value.members.count - 1
  }

  func enter(_ member: Membership) { local.value.members[member.id.slot] = member }

  func leave(_ member: Membership) {
    local.value.members[member.id.slot] = nil
    local.value.freeSlots.append(member.id.slot)
  }

  // MARK: Callbacks

  @usableFromInline
  func willCall(_ driver: ConnectionDriver) {
    local.value.running = driver.number
    local.value.wasReading = driver.waitsForInput
  }

  /// Callbacks have been made: looks what has come and gone.
  @usableFromInline
  func didCall(_ driver: ConnectionDriver) {
    local.value.running = -1
    // A driver has its place until it has told of its end, which comes after the last callback.
    guard let member = local.value.members[driver.number] else { return }
    let now = loop.now
    if driver.takeHasRead() {
      member.marks.input = now
      member.marks.hasInput = true
    } else if !local.value.wasReading, driver.isReading {
      // What has come during a pause has not been read.
      member.marks.input = now
    }
    if let latency = member.traffic.noteFrames(driver.framesTaken, now) {
      local.value.replyLatency.record(nanoseconds: latency)
    }
    if driver.takeHasAnswered() { noteSent(member) }
  }

  /// Something has been sent, to which a reply is waited for from now on.
  func noteSent(_ member: Membership) {
    if measuresReplies { member.traffic.sent = loop.now }
  }
}

extension ConnectionHandler {
  /// How drivers of such handlers call them, for a client.
  @inlinable
  static func reactions(
    notedBy roster: Roster, ended: @escaping @Sendable (ConnectionDriver) -> Void
  ) -> ConnectionDriver.Reactions {
    reactions(before: { roster.willCall($0) }, after: { roster.didCall($0) }, ended: ended)
  }
}

extension ByteHandler {
  /// The same, wherever the compiler knows that the handler takes bytes.
  @inlinable
  static func reactions(
    notedBy roster: Roster, ended: @escaping @Sendable (ConnectionDriver) -> Void
  ) -> ConnectionDriver.Reactions {
    reactions(before: { roster.willCall($0) }, after: { roster.didCall($0) }, ended: ended)
  }
}
