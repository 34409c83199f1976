import Glibc
import Synchronization
import TCPServer

/// A chat of lines: `chat [PORT [SECONDS]]`. What a member says goes to all others; who is silent for so many seconds has
/// to go (600 by default). SIGINT or SIGTERM says goodbye to everybody and ends it.
@main
struct Chat {
  static func main() async {
    guard let (port, patience) = parse(CommandLine.arguments.dropFirst()) else {
      fail("usage: chat [PORT [SECONDS]]", status: 2)
    }
    do {
      let server = try await TCPServer.bind(on: .loopback(port: port))
      let signals = try ProcessSignals(.interrupt, .terminate)
      let house = House(
        patience: patience, room: Broadcast(.lines, slowConsumers: try .dropOldest(keeping: 100)))
      print("listening on \(server.address)")
      fflush(nil)

      try await withThrowingDiscardingTaskGroup { group in
        group.addTask {
          for await _ in signals { server.beginDrain(deadline: .seconds(5)) }
        }
        try await server.run(framing: .lines) { try await house.welcome($0) }
        group.cancelAll()
      }
      print(await server.drain())
    } catch {
      fail("chat: \(error)", status: 1)
    }
  }

  static func parse(_ arguments: ArraySlice<String>) -> (port: UInt16, patience: Duration)? {
    guard arguments.count <= 2, let port = UInt16(arguments.first ?? "7000"),
      let seconds = Double(arguments.dropFirst().first ?? "600"), seconds > 0, seconds < 1e6
    else { return nil }
    return (port, .seconds(seconds))
  }

  static func fail(_ message: String, status: Int32) -> Never {
    let line = Array((message + "\n").utf8)
    _ = unsafe write(STDERR_FILENO, line, line.count)
    exit(status)
  }
}

/// The room, and the names of those who are in it.
final class House: Sendable {
  typealias Member = FramedConnection<LineFraming>

  let patience: Duration
  let room: Broadcast<LineFraming>
  let names = Mutex<Set<String>>([])

  init(patience: Duration, room: Broadcast<LineFraming>) {
    self.patience = patience
    self.room = room
  }

  func welcome(_ member: Member) async throws {
    var name = newName()
    defer { release(name) }
    try await room.join(member) {
      try await member.send("* you are \(name); /nick NAME, /list, /quit")
      try await room.send("* \(name) is here", except: member)
      let farewell = try await listen(to: member, &name)
      if !member.isDraining { try await room.send("* \(name) has gone", except: member) }
      try await member.send("* \(farewell)")
    }
  }

  /// Passes on what a member says, until it leaves; answers what to say to it then.
  func listen(to member: Member, _ name: inout String) async throws -> String {
    do {
      while let line = try await member.next(deadline: .after(patience)) {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        switch words.first {
        case nil: continue
        case "/quit": return "goodbye"
        case "/list":
          try await member.send("* here: " + names.withLock { $0.sorted() }.joined(separator: ", "))
        case "/nick":
          guard let wanted = words.dropFirst().first, claim(wanted) else {
            try await member.send("* that name is taken, or none: 1 to 20 letters and digits")
            continue
          }
          release(name)
          try await room.send("* \(name) is now \(wanted)")
          name = wanted
        default: try await room.send("\(name): \(line)", except: member)
        }
      }
    } catch SocketError.timedOut {
      return "you have been silent for too long"
    }
    return member.isDraining ? "the server is going down, goodbye" : "goodbye"
  }

  func newName() -> String {
    for number in 1... where claim("guest\(number)") { return "guest\(number)" }
    return "guest"
  }

  func claim(_ name: String) -> Bool {
    guard 1...20 ~= name.count, name.allSatisfy({ $0.isLetter || $0.isNumber }) else { return false }
    return names.withLock { $0.insert(name).inserted }
  }

  func release(_ name: String) { _ = names.withLock { $0.remove(name) } }
}
