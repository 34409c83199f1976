import Glibc

/// Files of text, for golden transcripts.
enum TextFile {
  /// `nil` for a file that is not there or cannot be read.
  static func read(_ path: String) -> String? {
    guard let file = unsafe fopen(path, "re") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe fread(&block, 1, block.count, file)
      if count == 0 { break }
      bytes += block.prefix(count)
    }
    return unsafe ferror(file) == 0 ? String(decoding: bytes, as: UTF8.self) : nil
  }

  /// - Returns: whether it is written.
  static func write(_ text: String, to path: String) -> Bool {
    guard let file = unsafe fopen(path, "we") else { return false }
    let bytes = Array(text.utf8)
    let isWritten = unsafe fwrite(bytes, 1, bytes.count, file) == bytes.count
    return unsafe fclose(file) == 0 && isWritten
  }

  static func environmentVariable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
