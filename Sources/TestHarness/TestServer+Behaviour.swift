import AsyncSockets
public import Framing

extension TestServer {
  /// How a test server treats its clients.
  public struct Behaviour: Sendable {
    enum Door: Sendable { case open, refusing, blackHole }

    enum Kind: String, Sendable { case stock = "server", handler, script }

    let door: Door
    let kind: Kind
    let serve: @Sendable (TestPeer<F>) async throws -> Void

    init(
      _ door: Door = .open, _ kind: Kind = .stock,
      _ serve: @escaping @Sendable (TestPeer<F>) async throws -> Void
    ) {
      self.door = door
      self.kind = kind
      self.serve = serve
    }
  }
}

extension TestServer.Behaviour {
  /// Reads everything and answers nothing (RFC 863).
  public static var discard: Self {
    Self { peer in while try await peer.next() != nil {} }
  }

  /// Reads nothing and says nothing: the test has the clients to itself, by `accept()`.
  public static var silent: Self { Self { try await $0.untilLeaving() } }

  /// Sends lines of 72 printing characters for ever, whatever the framing, and reads nothing (RFC 864).
  public static var chargen: Self { Self { try await $0.generateCharacters() } }

  /// Refuses connections: the port is the server's and nobody listens (`ECONNREFUSED`). After `resume()` it is silent.
  public static var refuse: Self { Self(.refusing, .stock, silent.serve) }

  /// Answers no attempt to connect, as a host does that is not there. After `resume()` it is silent.
  public static var blackHole: Self { Self(.blackHole, .stock, silent.serve) }

  /// Serves each client by a function of the test's.
  ///
  /// When the body returns, its input ends after what had arrived; a second later it is cancelled. An error that it throws
  /// fails the test, unless that is its own connection's end.
  public static func handler(_ serve: @escaping @Sendable (TestPeer<F>) async throws -> Void) -> Self {
    Self(.open, .handler, serve)
  }

  /// Plays a script with each client. It must run to its end: whatever it throws fails the test, and so does a script
  /// that no client came to play. When the body returns, the server waits for the scripts that are being played.
  ///
  /// What a client sends after the end of its script fails nothing: a script that cares ends with `expectEnd()`.
  public static func script(_ serve: @escaping @Sendable (TestPeer<F>) async throws -> Void) -> Self {
    Self(.open, .script, serve)
  }
}

extension TestServer.Behaviour where F.Decoder.Frame == F.Encoder.Frame {
  /// Sends every frame back (RFC 862).
  public static var echo: Self {
    Self { peer in
      while let frame = try await peer.next() {
        try await peer.core.send(within: nil) { try peer.encode(frame) }
      }
    }
  }
}

extension TestPeer {
  fileprivate func untilLeaving() async throws {
    if case .cancelled = await core.leaving.wait(on: loop) { throw CancellationError() }
  }

  fileprivate func generateCharacters() async throws {
    // As RFC 864 shows it: each line begins one character later than the one before.
    let printing = Array(UInt8(ascii: " ")...UInt8(ascii: "~"))
    let lines = printing.indices.map { start in
      (0..<72).map { printing[(start + $0) % printing.count] } + Array("\r\n".utf8)
    }
    let round = lines.flatMap(\.self)
    while !core.isLeaving { try await core.send(within: nil) { round } }
  }
}
