import Glibc

/// The files of a directory in Fuzz; none if it is not there.
struct FuzzInputs {
  struct Unreadable: Error { let path: String }

  private let directory: String
  let names: [String]

  init(_ path: String) {
    let parts = "\(#filePath)".split(separator: "/", omittingEmptySubsequences: false)
    directory = "\(parts.dropLast(4).joined(separator: "/"))/Fuzz/\(path)"
    var names: [String] = []
    if let stream = unsafe opendir(directory) {
      while let entry = unsafe readdir(stream) {
        names.append(
          unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
          })
      }
      unsafe closedir(stream)
    }
    self.names = names.filter { !$0.hasPrefix(".") }.sorted()
  }

  func bytes(of name: String) throws -> [UInt8] {
    guard let file = unsafe fopen("\(directory)/\(name)", "r") else {
      throw Unreadable(path: "\(directory)/\(name)")
    }
    defer { unsafe fclose(file) }
    // Longer than any input of the fuzzer's.
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    return Array(bytes.prefix(count))
  }
}
