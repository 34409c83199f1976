import Glibc
import Peers

/// What `/proc` tells of a process.
struct ProcessFacts {
  let id: pid_t

  /// This process.
  static var own: ProcessFacts { ProcessFacts(id: getpid()) }

  /// The processor time that it has used, in all its threads, in steps of 10 ms.
  var processorTime: Duration {
    get throws {
      // The name, in parentheses, may contain anything; behind it the fields are counted from 3.
      let fields = try text("stat").split(separator: ")").last?.split(separator: " ") ?? []
      guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else {
        throw PeerError.invalid("no times in /proc/\(id)/stat")
      }
      return .seconds(user + system) / Int(sysconf(Int32(_SC_CLK_TCK)))
    }
  }

  /// Its resident memory in bytes.
  var residentMemory: Int {
    get throws {
      let pages = try text("statm").split(separator: " ").dropFirst().first.flatMap { Int($0) }
      guard let pages else { throw PeerError.invalid("no memory in /proc/\(id)/statm") }
      return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
  }

  /// How many descriptors it has open.
  var descriptorCount: Int {
    get throws { try entries("fd").count }
  }

  /// What its descriptors are open on, as /proc names it.
  var descriptorTargets: [String] {
    get throws {
      try entries("fd").compactMap { number in
        var target = [CChar](repeating: 0, count: 256)
        let count = unsafe readlink("/proc/\(id)/fd/\(number)", &target, 256)
        // It may have been closed meanwhile.
        return count < 0
          ? nil : String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
      }
    }
  }

  /// The limit on descriptors under which it can open so many more.
  func descriptorLimit(leaving count: Int) throws -> Int {
    let taken = Set(try entries("fd").compactMap { Int($0) })
    return (0...).lazy.filter { !taken.contains($0) }.dropFirst(count).first { _ in true } ?? 0
  }

  /// How many threads it has.
  var threadCount: Int {
    get throws { try entries("task").count }
  }

  private func text(_ name: String) throws -> String { try contents(of: "/proc/\(id)/\(name)") }

  private func entries(_ name: String) throws -> [String] { try names(in: "/proc/\(id)/\(name)") }
}

/// The text of a file.
func contents(of path: String) throws -> String {
  let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw PeerError.failed(call: "open \(path)", errno: errno) }
  defer { close(file) }
  var bytes = [UInt8](repeating: 0, count: 65_536)
  let count = unsafe read(file, &bytes, bytes.count)
  guard count >= 0 else { throw PeerError.failed(call: "read \(path)", errno: errno) }
  return String(decoding: bytes.prefix(count), as: UTF8.self)
}

/// The names in a directory.
func names(in path: String) throws -> [String] {
  guard let stream = unsafe opendir(path) else {
    throw PeerError.failed(call: "opendir \(path)", errno: errno)
  }
  defer { unsafe closedir(stream) }
  var names: [String] = []
  while let entry = unsafe readdir(stream) {
    let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}

/// The value of an environment variable.
func environmentVariable(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  return unsafe String(cString: value)
}
