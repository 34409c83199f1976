import Glibc

/// What `/proc/self` tells of this process.
enum ProcessFiles {
  static func openDescriptors() -> [(number: Int, target: String)] {
    entries(of: "/proc/self/fd").compactMap { name in
      guard let number = Int(name) else { return nil }
      // The one through which the directory itself is read is closed by now, and has no target.
      return target(ofLink: "/proc/self/fd/\(name)").map { (number, $0) }
    }
    .sorted { $0.number < $1.number }
  }

  static func threadCount() -> Int { entries(of: "/proc/self/task").count }

  /// Bytes of memory that are resident now.
  static func residentBytes() -> Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { line in
      guard unsafe fgets(line.baseAddress, Int32(line.count), file) != nil, let base = line.baseAddress
      else { return 0 }
      let fields = unsafe String(cString: base).split(separator: " ")
      return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }
  }

  private static func entries(of directory: String) -> [String] {
    guard let stream = unsafe opendir(directory), let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name)
    else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      // Only so much of the name is there as it is long: `pointee` would read on, past the end of the memory.
      let bytes = unsafe UnsafeRawPointer(entry) + nameOffset
      let name = unsafe String(cString: bytes.assumingMemoryBound(to: CChar.self))
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private static func target(ofLink path: String) -> String? {
    unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
      guard let base = buffer.baseAddress else { return nil }
      let count = unsafe readlink(path, base.assumingMemoryBound(to: CChar.self), buffer.count)
      guard count > 0 else { return nil }
      return unsafe String(decoding: UnsafeRawBufferPointer(rebasing: buffer[..<count]), as: UTF8.self)
    }
  }
}
