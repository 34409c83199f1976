import AsyncSockets
import Framing
import Peers
import TestHarness
import Testing

@Suite("Conversations that switch codecs", .timeLimit(.minutes(4)))
struct SwitchingScenarioTests {
  @Test("scenario E1: single bytes and numbers take turns, wherever reads are cut", arguments: Route.allCases)
  func bytesAndNumbers(_ route: Route) async throws {
    let text = "abcdefg.1234567.hijklmnop.890.q"
    let asRecorded = ["abcdefg.1234567.hijk", "lmnop.89", "0.q"]
    let everyCut = text.indices.dropFirst().map { [String(text[..<$0]), String(text[$0...])] }
    for reads in [asRecorded] + (route.network == .unix ? everyCut : []) {
      try await withLink(route) { link in
        async let events = Self.events(link.connection)
        for (index, read) in reads.enumerated() {
          try link.peer.send(read)
          let sent = reads[...index].joined().utf8.count
          try await soon("it is read", on: link.loop) { link.connection.counters.bytesRead == UInt64(sent) }
        }
        try link.peer.halfClose()
        #expect(
          try await events.joined(separator: " ")
            == "a b c d e f g (.) 1234567 h i j k l m n o p (.) 890 q EOF")
      }
    }
  }

  private static func events(_ connection: Connection) async throws -> [String] {
    var events: [String] = []
    var single = connection.framed(try FixedLengthFraming(1))
    while let byte = try await single.next() {
      guard byte == bytes(".") else {
        events.append(String(decoding: byte, as: UTF8.self))
        continue
      }
      events.append("(.)")
      let numbers = try single.switching(to: try LineFraming("."))
      if let number = try await numbers.next() { events.append(number) }
      single = try numbers.switching(to: try FixedLengthFraming(1))
    }
    return events + ["EOF"]
  }

  // MARK: - One stream in three codecs

  private enum Dialect: String { case line, block, reference }

  /// Commands are in the codec of the word before them.
  private static let records = [
    "do line", "kyriel", "do reference", "coral", "do line", "amber", "do block", "slate", "do reference",
    "opal",
    "do block", "flint", "do block", "jet", "do line", "onyx", "do reference", "pearl", "done",
  ]

  /// Values behind a decimal length; what is between them and their bytes does not matter here.
  private static var reference: MappedFraming<LengthPrefixFraming<DecimalPrefix>, [UInt8], [UInt8]> {
    LengthPrefixFraming(.decimal).map({ $0.reversed() }, outbound: { (bytes: [UInt8]) in bytes.reversed() })
  }

  @Test(
    "scenario E3: 19 records in one segment, of which every other changes the codec",
    arguments: Route.allCases)
  func matrix(_ route: Route) async throws {
    try await withLink(route) { link in
      let lines = link.connection.framed(LineFraming().bytes)
      try await Self.sendAll(Self.records[...], on: lines)
      let sent = link.connection.counters.bytesAccepted
      try await onThread { try link.peer.send(try link.peer.receive(exactly: Int(sent))) }
      try link.peer.halfClose()
      try await eventually("all is there") { unreadInKernel(link.connection) == Int(sent) }
      // The old handle is spent by then; the stream goes on in lines.
      #expect(try await Self.receiveAll(link.connection.framed(LineFraming().bytes)) == Self.records)
    }
  }

  private static func sendAll<F: Framing>(
    _ records: ArraySlice<String>, on connection: FramedConnection<F>
  ) async throws where F.Encoder.Frame == [UInt8] {
    guard let record = records.first else { return }
    try await connection.send(bytes(record))
    let rest = records.dropFirst()
    switch command(record) {
    case .line: try await sendAll(rest, on: connection.switching(outbound: LineFraming().bytes))
    case .block: try await sendAll(rest, on: connection.switching(outbound: .lengthPrefixed(.uint16)))
    case .reference: try await sendAll(rest, on: connection.switching(outbound: reference))
    case nil: try await sendAll(rest, on: connection)
    }
  }

  private static func receiveAll<F: Framing>(
    _ connection: FramedConnection<F>
  ) async throws -> [String] where F.Decoder.Frame == [UInt8] {
    guard let record = try await connection.next().map({ String(decoding: $0, as: UTF8.self) }) else {
      return []
    }
    let rest =
      switch command(record) {
      case .line: try await receiveAll(connection.switching(inbound: LineFraming().bytes))
      case .block: try await receiveAll(connection.switching(inbound: .lengthPrefixed(.uint16)))
      case .reference: try await receiveAll(connection.switching(inbound: reference))
      case nil: try await receiveAll(connection)
      }
    return [record] + rest
  }

  private static func command(_ record: String) -> Dialect? {
    record.hasPrefix("do ") ? Dialect(rawValue: String(record.dropFirst(3))) : nil
  }

  @Test("scenario E4: output that is queued stays as it was framed", arguments: Place.allCases)
  func queuedOutput(_ place: Place) async throws {
    let transport = ScriptedTransport()
    transport.block()
    try await withScript(place, transport) { link in
      let lines = link.connection.framed(LineFraming())
      try await lines.send("one")
      let blocks = try lines.switching(to: .lengthPrefixed(.decimal))
      try await blocks.send(bytes("two"))
      let raw = try blocks.switching(to: .raw)
      try await raw.send(bytes("three"))
      #expect(link.connection.queued == 14)
      transport.unblock()
      try await raw.flush()
      #expect(transport.record.written == bytes("one\n3\0twothree"))
    }
  }
}
