import Peers

/// What a run of the built program left behind.
struct Ran {
  let status: ExitStatus
  let output: String
  let errors: String
}

/// Runs the built program to its end.
func swarm(_ arguments: String..., descriptorLimit: Int? = nil) async throws -> Ran {
  try await swarm(arguments, descriptorLimit: descriptorLimit)
}

/// Runs the built program to its end.
func swarm(_ arguments: [String], descriptorLimit: Int? = nil) async throws -> Ran {
  // Servers of the test's own are slow when the machine is busy.
  let patience =
    arguments.contains("--connect") && !arguments.contains("--timeout") ? ["--timeout", "1h"] : []
  return try await withChildProcess(
    try builtExecutable("swarm"), arguments + patience, descriptorLimit: descriptorLimit
  ) {
    process in
    process.closeInput()
    let output = String(decoding: try await process.readToEnd(), as: UTF8.self)
    return Ran(status: try await process.waitForExit(), output: output, errors: process.errorOutput)
  }
}

/// Runs `body` beside a server of blocking calls that does the same with each of so many connections, one by one.
func withScriptedServer<Result>(
  connections: Int = 1, _ serve: @escaping @Sendable (BlockingPeer) throws -> Void,
  _ body: (String) async throws -> Result
) async throws -> Result {
  let listener = try BlockingListener()
  async let serving: Void = onThread {
    for _ in 0..<connections { try serve(try listener.accept()) }
  }
  let result = try await body("127.0.0.1:\(listener.port)")
  try await serving
  return result
}
