import Glibc
import Peers
import TestHarness

/// Whether a program can be started by its name.
@Sendable
func isInstalled(_ program: String) async -> Bool {
  let status = try? await withChildProcess("sh", ["-c", "command -v \(program)"]) {
    try await $0.waitForExit()
  }
  return status == .exited(0)
}

/// Runs `body` beside a redis-server, with what `--connect` takes.
func withRedis(_ body: (String) async throws -> Void) async throws {
  let path = "/tmp/swarm-redis-\(UInt64.random(in: 0 ... .max)).sock"
  let arguments = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"]
  try await withChildProcess("redis-server", arguments) { server in
    defer { unsafe unlink(path) }
    var output = ""
    while let line = try? await server.readLine() {
      output += line + "\n"
      // The words have changed from one version to the next.
      if line.lowercased().contains("ready to accept connections") { return try await body("unix:\(path)") }
    }
    throw PeerError.invalid("redis-server says \(output)")
  }
}

/// Runs `body` beside an nginx that answers everything with "204 No Content", with what `--connect` takes.
func withNginx(_ body: (String) async throws -> Void) async throws {
  let directory = "/tmp/swarm-nginx-\(UInt64.random(in: 0 ... .max))"
  guard unsafe mkdir(directory, 0o700) == 0 else { throw PeerError.failed(call: "mkdir", errno: errno) }
  let socket = "\(directory)/socket"
  let configuration = try TextFile(
    """
    daemon off; master_process off; pid \(directory)/pid; error_log stderr;
    events { }
    http {
      access_log off; keepalive_requests 1000000;
      server { listen unix:\(socket); location / { return 204; } }
    }
    """)
  defer {
    for name in ["socket", "pid"] { unsafe unlink("\(directory)/\(name)") }
    unsafe rmdir(directory)
  }
  try await withChildProcess("nginx", ["-c", configuration.path, "-e", "stderr"]) { server in
    try await eventually("nginx listens: \(server.errorOutput)") {
      (try? BlockingPeer.connect(unixPath: socket)) != nil
    }
    try await body("unix:\(socket)")
  }
}
