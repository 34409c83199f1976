import AsyncSockets
import Glibc
import Peers
import TestHarness
import Testing

// Each runs the program SocketExercise, so that what is counted, traced or stopped is nothing but the library.

@Suite("A process that makes connections", .timeLimit(.minutes(30)))
struct WholeProcessTests {
  @Test("leaves no descriptor, registration, deadline or thread after connections of every ending (P01, P43)")
  func everyEnding() async throws {
    let count = rounds(600, slow: 100_000)
    try await exercise(["endings", "\(count)"]) { child in
      let line = try await child.readLine()
      #expect(line == "\(count) connections, nothing left")
    }
  }

  @Test(
    "never calls the kernel with a descriptor that is closed, or is no socket (P02, P03)",
    .enabled(if: isInstalled("strace"), "needs strace"))
  func traced() async throws {
    let trace = TemporaryFile()
    let tracing = [
      "strace", "-f", "-qq", "--seccomp-bpf", "-Z", "-e", "trace=%network,%desc", "-e", "signal=none", "-o",
      trace.path,
    ]
    let count = rounds(120, slow: 3_000)
    try await exercise(under: tracing, ["endings", "\(count)"]) { child in
      let line = try await child.readLine()
      #expect(line == "\(count) connections, nothing left")
    }
    let failed = try trace.lines()
    #expect(failed.contains { $0.contains("EAGAIN") }, "nothing was traced")
    #expect(failed.filter { $0.contains("EBADF") || $0.contains("ENOTSOCK") } == [])
  }

  @Test(
    "delivers every message whole and in order from a kernel that takes a byte at a time and is interrupted (P26, P66)",
    .enabled(if: isInstalled("cc"), "needs a C compiler"))
  func hostileKernel() async throws {
    let hostile = try await HostileLibrary()
    let messages = rounds(20, slow: 2_000)
    try await exercise(["senders", "12", "\(messages)"], environment: hostile.environment) { child in
      let line = try await child.readLine()
      #expect(line == "\(12 * messages) messages, whole and in order")
      try await child.waitForExit()
      #expect(hostile.wasActive(in: child))
    }
  }

  @Test(
    "ends connections in every way under a kernel that takes a byte at a time and is interrupted (P66)",
    .enabled(if: isInstalled("cc"), "needs a C compiler"))
  func hostileEndings() async throws {
    let hostile = try await HostileLibrary()
    let count = rounds(60, slow: 1_200)
    try await exercise(["endings", "\(count)"], environment: hostile.environment) { child in
      let line = try await child.readLine()
      #expect(line == "\(count) connections, nothing left")
    }
  }

  @Test(
    "meets each deadline once though the time of day jumps by hours (P49)",
    .enabled(if: isInstalled("cc"), "needs a C compiler"))
  func timeOfDayJumps() async throws {
    let hostile = try await HostileLibrary()
    try await exercise(["deadlines", "20"], environment: hostile.environment) { child in
      #expect(try await child.readLine() == "ready")
      try await expectEachOnce(20, of: child)
    }
  }

  @Test(
    "meets each deadline once in a namespace whose monotonic clock stands elsewhere (P49)",
    .enabled(if: isPrivileged(), "needs root"), arguments: ["-1000", "3000000000"])
  func otherMonotonicClock(offset: String) async throws {
    try await exercise(
      under: ["unshare", "--time", "--monotonic", offset, "--fork"], ["deadlines", "20"]
    ) { child in
      #expect(try await child.readLine() == "ready")
      try await expectEachOnce(20, of: child)
    }
  }

  @Test("meets each deadline once when it was stopped while they came (P50)")
  func stopped() async throws {
    let loop = try EventLoopGroup.shared.loops[0]
    try await exercise(["deadlines", "20"]) { child in
      #expect(try await child.readLine() == "ready")
      child.signal(SIGSTOP)
      let end = loop.now.advanced(by: .milliseconds(rounds(300, slow: 3_000)))
      try await eventually("all deadlines have passed") { loop.now >= end }
      child.signal(SIGCONT)
      try await expectEachOnce(20, of: child)
    }
  }

  @Test(
    "tells by ETIMEDOUT or a limit of a network that is gone, and by its errno of one that cannot be reached (P53, P54)",
    .enabled("needs a network namespace of its own: unshare, ip", hasOwnNetworks))
  func stranded() async throws {
    let script = """
      ip link set lo up
      "$0" stranded | while read -r line; do
        echo "$line"
        if [ "$line" = ready ]; then ip link set lo down; fi
      done
      """
    let exercise = try builtExecutable("SocketExercise")
    let command = ["--map-root-user", "--net", "sh", "-c", script, exercise]
    try await withChildProcess("unshare", command, patience: .seconds(60)) { child in
      let text = String(decoding: try await child.readToEnd(), as: UTF8.self)
      let lines = text.split(separator: "\n").map(String.init)
      let expected = [
        ["connect 127.0.0.1:9: the deadline passed"], ["connect 192.0.2.1:9: ENETUNREACH"],
        ["connect [::1]:9: EADDRNOTAVAIL"], ["idle limit: idle limit reached"],
        ["keep-alive: recv 127.0.0.1:", ": ETIMEDOUT"], ["ready"],
        ["user timeout: recv 127.0.0.1:", ": ETIMEDOUT"],
      ]
      #expect(lines.count == expected.count, "\(lines) \(child.errorOutput)")
      for (line, parts) in zip(lines.sorted(), expected) {
        for part in parts { #expect(line.contains(part)) }
      }
    }
  }

  private func expectEachOnce(_ count: Int, of child: ChildProcess) async throws {
    let text = String(decoding: try await child.readToEnd(), as: UTF8.self)
    let expected = (0..<count).flatMap { ["read \($0)", "sleep \($0)"] }
    #expect(text.split(separator: "\n").map(String.init).sorted() == expected.sorted())
  }
}

/// Runs the program to its end, which must be a good one.
private func exercise(
  under command: [String] = [], _ arguments: [String], environment: [String: String] = [:],
  _ body: (ChildProcess) async throws -> Void
) async throws {
  let command = command + [try builtExecutable("SocketExercise")] + arguments
  try await withChildProcess(
    command[0], Array(command.dropFirst()), environment: environment, patience: .seconds(1200)
  ) { child in
    try await body(child)
    let status = try await child.waitForExit()
    #expect(status == .exited(0), "\(child.errorOutput)")
  }
}

/// Tests/Preload/hostile.c, compiled.
private struct HostileLibrary {
  private let file: TemporaryFile

  init() async throws {
    file = TemporaryFile(suffix: ".so")
    let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let command = ["-shared", "-fPIC", "-o", file.path, "/\(tests)/Preload/hostile.c", "-ldl"]
    try await withChildProcess("cc", command) { compiler in
      let status = try await compiler.waitForExit()
      #expect(status == .exited(0), "\(compiler.errorOutput)")
    }
  }

  var environment: [String: String] { ["LD_PRELOAD": file.path] }

  func wasActive(in child: ChildProcess) -> Bool {
    let words = child.errorOutput.split { " \n".contains($0) }
    guard words.first == "hostile:", words.count >= 4 else { return false }
    return words[1] != "0" && words[3] != "0"
  }
}

private func isInstalled(_ program: String) -> Bool {
  guard let path = unsafe getenv("PATH") else { return false }
  return unsafe String(cString: path).split(separator: ":").contains { directory in
    unsafe access("\(directory)/\(program)", X_OK) == 0
  }
}

/// Whether the system lets this user have network namespaces.
@Sendable
private func hasOwnNetworks() async throws -> Bool {
  guard isInstalled("unshare"), isInstalled("ip") else { return false }
  let command = ["--map-root-user", "--net", "ip", "link", "set", "lo", "up"]
  return try await withChildProcess("unshare", command) { child in
    try await child.waitForExit() == .exited(0)
  }
}

private func isPrivileged() -> Bool { geteuid() == 0 && isInstalled("unshare") }
