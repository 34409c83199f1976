import Glibc
import Peers

/// What `/proc/self/fdinfo` tells of a descriptor, by field.
func descriptorInformation(_ number: Int) throws -> [String: String] {
  let path = "/proc/self/fdinfo/\(number)"
  guard let file = unsafe fopen(path, "re") else {
    throw PeerError.failed(call: "open \(path)", errno: errno)
  }
  defer { unsafe fclose(file) }
  var fields: [String: String] = [:]
  var line = [CChar](repeating: 0, count: 512)
  while unsafe fgets(&line, Int32(line.count), file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2 else { continue }
    fields[String(parts[0])] = String(parts[1].filter { !$0.isWhitespace })
  }
  return fields
}

/// The flags with which a descriptor is open, as open(2) names them.
func openFlags(_ number: Int) throws -> Int32 {
  guard let flags = try descriptorInformation(number)["flags"].flatMap({ Int32($0, radix: 8) }) else {
    throw PeerError.invalid("no flags for descriptor \(number)")
  }
  return flags
}
