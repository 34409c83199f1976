import Peers
import TestHarness
import Testing

@Suite("Clients that others have written", .timeLimit(.minutes(4)))
struct RealClientTests {
  @Test(
    "netcat sends lines, half-closes, and gets every answer",
    .enabled("netcat is not installed") { await works("sh", ["-c", "command -v nc"]) })
  func netcat() async throws {
    let text = (0..<1000).map { "netcat line \($0)\r\n" }.joined()
    try await withRot13 { server in
      try await withChildProcess("nc", ["-N", "127.0.0.1", "\(server.port)"]) { netcat in
        async let sending: Void = netcat.send(text)
        var output: [UInt8] = []
        // Half of it while netcat's input is still open.
        output += try await onThread { try netcat.output.receive(exactly: text.utf8.count / 2) }
        try await sending
        netcat.closeInput()
        output += try await netcat.readToEnd()
        #expect(String(decoding: output, as: UTF8.self) == rot13(text))
        #expect(try await netcat.waitForExit() == .exited(0))
      }
    }
  }

  @Test(
    "a POE client converses line by line",
    .enabled("perl with POE is not installed") { await works("perl", ["-MPOE", "-e", "1"]) })
  func poe() async throws {
    try await withRot13 { server in
      try await withChildProcess("perl", ["-e", poeClient, "\(server.port)", "50"]) { client in
        let output = String(decoding: try await client.readToEnd(), as: UTF8.self)
        let expected = (1...50).map { "got: line \($0) from POE\n" }.joined()
        #expect(output == "connected\n" + expected + "disconnected\n", "\(client.errorOutput)")
        #expect(try await client.waitForExit() == .exited(0))
      }
    }
  }
}

/// Sends so many lines, each after the answer to the one before it, and prints what it sees.
private let poeClient = #"""
  use strict;
  use warnings;
  use POE qw(Component::Client::TCP);

  $| = 1;
  my ($port, $count) = @ARGV;
  my $sent = 0;

  sub next_line {
    my $heap = shift;
    my $line = "line " . ++$sent . " from POE";
    $line =~ tr/A-Za-z/N-ZA-Mn-za-m/;
    $heap->{server}->put($line);
  }

  POE::Component::Client::TCP->new(
    RemoteAddress => "127.0.0.1",
    RemotePort    => $port,
    Connected     => sub { print "connected\n"; next_line($_[HEAP]) },
    ServerInput   => sub {
      my ($kernel, $heap, $line) = @_[KERNEL, HEAP, ARG0];
      print "got: $line\n";
      $sent < $count ? next_line($heap) : $kernel->yield("shutdown");
    },
    Disconnected  => sub { print "disconnected\n" },
    ConnectError  => sub { print "error: $_[ARG2]\n"; exit 1 },
  );
  POE::Kernel->run;
  """#
