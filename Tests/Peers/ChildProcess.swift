import Glibc
import Synchronization

/// A program that runs beside the tests: a real client, an example, or a test that needs a process of its own.
///
/// Its standard input and output are connected to ``input`` and ``output``; what it says on standard error is
/// kept. The functions that wait are `async` and block threads of their own, never the cooperative pool. It
/// inherits whatever descriptors are not close-on-exec, on purpose: tests look for such leaks.
///
/// A child that is dropped is killed, but ``withChildProcess(_:_:environment:descriptorLimit:patience:_:)`` is
/// the way to leave nothing behind.
public final class ChildProcess: Sendable {
  /// The process id.
  public let id: pid_t
  /// The other end of its standard input.
  public let input: BlockingPeer
  /// The other end of its standard output.
  public let output: BlockingPeer

  private let name: String
  private let patience: Duration
  private let errors: UnlinkedFile
  private let exit: ExitWatch

  /// Starts `program`, a path or a name to be found in PATH. `environment` is added to the tests' own, and
  /// `descriptorLimit` becomes the child's RLIMIT_NOFILE. With `listeners`, it is started as systemd starts a service with
  /// sockets, sd_listen_fds(3): they are its descriptors from 3 on.
  public init(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    descriptorLimit: Int? = nil, listeners: [(name: String, listener: BlockingListener)] = [],
    patience: Duration = defaultPatience
  ) throws {
    var command = [program] + arguments
    if !listeners.isEmpty {
      // The shell alone knows the number of the process that it will go on as.
      let names = listeners.map(\.name).joined(separator: ":")
      let script =
        "LISTEN_PID=$$ LISTEN_FDS=\(listeners.count) LISTEN_FDNAMES=\(names) exec \"$0\" \"$@\""
      command = ["sh", "-c", script] + command
    }
    if let descriptorLimit { command = ["prlimit", "--nofile=\(descriptorLimit)"] + command }
    if !environment.isEmpty { command = ["env"] + environment.map { "\($0)=\($1)" } + command }

    // Sockets instead of pipes: they are close-on-exec from birth, and writing to a dead one raises no SIGPIPE.
    let (inputNear, inputFar) = try socketPair()
    input = BlockingPeer(adopting: inputNear, patience: patience)
    let childInput = BlockingPeer(adopting: inputFar)
    let (outputNear, outputFar) = try socketPair()
    output = BlockingPeer(adopting: outputNear, patience: patience)
    let childOutput = BlockingPeer(adopting: outputFar)
    errors = try UnlinkedFile()
    name = program
    self.patience = patience

    id = try spawn(
      command, input: childInput.descriptor, output: childOutput.descriptor, errors: errors.descriptor,
      passing: listeners.map(\.listener.number))
    childInput.close()
    childOutput.close()
    exit = try ExitWatch(id)
  }

  deinit { exit.signal(SIGKILL) }

  /// What it has written to standard error so far.
  public var errorOutput: String { String(decoding: errors.contents(), as: UTF8.self) }

  /// Sends it a signal, unless it has ended.
  public func signal(_ number: Int32) { exit.signal(number) }

  /// The next line of its standard output, without the line feed.
  public func readLine() async throws -> String {
    try await onThread { [output] in try output.receiveLine() }
  }

  /// The rest of its standard output.
  public func readToEnd() async throws -> [UInt8] {
    try await onThread { [output] in try output.receiveToEnd() }
  }

  /// Writes to its standard input.
  public func send(_ text: String) async throws {
    try await onThread { [input] in try input.send(text) }
  }

  /// Ends its standard input.
  public func closeInput() { input.close() }

  /// Waits for it to end.
  @discardableResult
  public func waitForExit(within limit: Duration? = nil) async throws -> ExitStatus {
    let wait = Wait(for: "\(name) to end", patience: limit ?? patience)
    return try await onThread { [exit] in try exit.status(wait) }
  }

  /// Kills it if it still runs, waits for its end and closes what belongs to it.
  func end() async throws {
    signal(SIGKILL)
    try await waitForExit()
    input.close()
    output.close()
  }
}

/// Runs `body` beside a child process that is gone, however `body` ends, before this returns.
public func withChildProcess<Result>(
  _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
  descriptorLimit: Int? = nil, listeners: [(name: String, listener: BlockingListener)] = [],
  patience: Duration = defaultPatience, _ body: (ChildProcess) async throws -> Result
) async throws -> Result {
  let child = try ChildProcess(
    program, arguments, environment: environment, descriptorLimit: descriptorLimit, listeners: listeners,
    patience: patience)
  let result: Result
  do {
    result = try await body(child)
  } catch {
    try await child.end()
    throw error
  }
  try await child.end()
  return result
}
