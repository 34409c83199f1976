import Peers
import TestHarness
import Testing

@Suite("Programs that others have written, against test servers", .standingClock, .timeLimit(.minutes(2)))
struct RealProgramTests {
  @Test("somebody's existing client class, in a fixture of five lines")
  func newUser() async throws {
    try await withTestServer(.echo) { server in
      let client = try SomebodysClient(port: server.port)
      #expect(try client.ask("hello") == "hello")
    }
  }

  @Test(
    "redis-cli talks to a scripted server",
    .enabled("redis is not installed") { await isInstalled("redis-cli") })
  func redis() async throws {
    try await withTestServer(framing: try LineFraming("\r\n")) { peer in
      for line in ["*2", "$3", "GET", "$8", "greeting"] { try await peer.expect(line) }
      try await peer.send(contentsOf: ["$5", "hello"])
      try await peer.expectEnd()
    } body: { server in
      try await withChildProcess("redis-cli", ["-p", "\(server.port)", "GET", "greeting"]) { client in
        client.closeInput()
        let output = String(decoding: try await client.readToEnd(), as: UTF8.self)
        #expect(output == "hello\n", "\(client.errorOutput)")
        #expect(try await client.waitForExit() == .exited(0))
      }
    }
  }

  @Test(
    "redis-cli that asks for the wrong thing is told from a distance, and does not hang",
    .enabled("redis is not installed") { await isInstalled("redis-cli") })
  func redisMismatch() async throws {
    let error = await #expect(throws: ExpectationFailure.self) {
      try await withTestServer(framing: try LineFraming("\r\n")) { peer in
        try await peer.expect(bytes: "*1\r\n$4\r\nPING\r\n")
      } body: { server in
        try await withChildProcess("redis-cli", ["-p", "\(server.port)", "PONG"]) { client in
          client.closeInput()
          _ = try await client.readToEnd()
        }
      }
    }
    #expect(text(error).contains(#"received  "*1\r\n$4\r\nPO"#), "\(text(error))")
  }

  @Test(
    "a POE client plays its part",
    .enabled("perl with POE is not installed") { await isInstalled("perl", "-MPOE", "-e", "1") })
  func poe() async throws {
    try await withTestServer(framing: .lines) { peer in
      try await peer.send("+OK ready")
      try await peer.expect("USER camel")
      try await peer.send(contentsOf: ["+OK", "two more lines", "."])
      try await peer.expect("QUIT")
      try await peer.send("+OK bye")
      try await peer.expectEnd()
    } body: { server in
      try await withChildProcess("perl", ["-e", poeClient, "\(server.port)"]) { client in
        let output = String(decoding: try await client.readToEnd(), as: UTF8.self)
        #expect(output == "+OK ready\n+OK\ntwo more lines\n.\n+OK bye\n", "\(client.errorOutput)")
        #expect(try await client.waitForExit() == .exited(0))
      }
    }
  }
}

private func isInstalled(_ command: String, _ arguments: String...) async -> Bool {
  do {
    return try await withChildProcess("sh", ["-c", "command -v \(command)"]) { shell in
      guard try await shell.waitForExit() == .exited(0) else { return false }
      if arguments.isEmpty { return true }
      return try await withChildProcess(command, arguments) { try await $0.waitForExit() == .exited(0) }
    }
  } catch {
    return false
  }
}

private let poeClient = #"""
  use strict;
  use warnings;
  use POE qw(Component::Client::TCP);

  $| = 1;
  my %answer = ("+OK ready" => "USER camel", "." => "QUIT");
  POE::Component::Client::TCP->new(
    RemoteAddress => "127.0.0.1",
    RemotePort    => $ARGV[0],
    ServerInput   => sub {
      my ($kernel, $heap, $line) = @_[KERNEL, HEAP, ARG0];
      print "$line\n";
      $heap->{server}->put($answer{$line}) if $answer{$line};
      $kernel->yield("shutdown") if $line eq "+OK bye";
    },
    ConnectError  => sub { print "error: $_[ARG2]\n"; exit 1 },
  );
  POE::Kernel->run;
  """#
