@unsafe @preconcurrency import Glibc

/// Starts a program with these three standard streams, and others from number 3 on, and returns its process id.
///
/// No signal is blocked in it: else it would inherit the mask of the cooperative pool's threads, and never hear of
/// a SIGTERM.
func spawn(
  _ command: [String], input: Int32, output: Int32, errors: Int32, passing passed: [Int32] = []
) throws -> pid_t {
  // Out of the way of the numbers that they are to get.
  let copies = passed.map { fcntl($0, F_DUPFD_CLOEXEC, 100) }
  defer { for copy in copies { close(copy) } }
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  for (number, descriptor) in ([input, output, errors] + copies).enumerated() {
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
  }

  var attributes = posix_spawnattr_t()
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  var noSignals = sigset_t()
  unsafe sigemptyset(&noSignals)
  unsafe posix_spawnattr_setsigmask(&attributes, &noSignals)
  unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

  var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
  defer { unsafe arguments.forEach { unsafe free($0) } }
  var id = pid_t()
  let failure = unsafe posix_spawnp(&id, command[0], &actions, &attributes, &arguments, environ)
  guard failure == 0 else { throw PeerError.failed(call: "spawn \(command[0])", errno: failure) }
  return id
}
