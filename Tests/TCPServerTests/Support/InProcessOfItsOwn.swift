import TestHarness
import Testing

/// Runs the body of an exit test, whose errors would else be told as a crash without a word.
func reportingErrors(_ body: () async throws -> Void) async {
  do {
    try await body()
  } catch {
    Issue.record("\(error)")
  }
}

/// Runs `body` twice in a process that does nothing else, and sees that the second time leaves no descriptor and no
/// thread that the first did not. (At first use, the runtime and the shared loops get some for good.)
func expectingNothingLeft(_ body: (_ isWarmUp: Bool) async throws -> Void) async throws {
  try await body(true)
  let descriptors = openDescriptors()
  let threads = ResourceAudit.threadCount()
  try await body(false)
  try await eventually("no descriptor is left: \(openDescriptors()), not \(descriptors)") {
    openDescriptors().count <= descriptors.count
  }
  try await eventually("no thread is left: \(ResourceAudit.threadCount()), not \(threads)") {
    ResourceAudit.threadCount() <= threads
  }
}

/// All but the timers of the runtime, which opens them when it likes; the library has none.
private func openDescriptors() -> [ResourceAudit.OpenDescriptor] {
  ResourceAudit.openDescriptors().filter { $0.target != "anon_inode:[timerfd]" }
}

/// Whether the long forms of tests were asked for.
let isSlowRun = environmentVariable("ASYNCSOCKETS_SLOW") == "1"
