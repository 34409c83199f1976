import Glibc

/// The path of an executable that was built together with the running tests.
public func builtExecutable(_ name: String) throws -> String {
  var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
  let length = unsafe readlink("/proc/self/exe", &buffer, buffer.count)
  guard length > 0 else { throw PeerError.last("readlink /proc/self/exe") }
  let tests = String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
  let directory = tests.prefix(through: tests.lastIndex(of: "/") ?? tests.startIndex)
  let path = "\(directory)\(name)"
  guard unsafe access(path, X_OK) == 0 else { throw PeerError.invalid("no executable \(path): is it built?") }
  return path
}
