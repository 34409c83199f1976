/// What a fuzzer's bytes mean: a limit, the sizes of reads, whatever the codec wants to know, and then the stream.
struct FuzzInput {
  /// 1 to 64 bytes, so that it is often reached.
  let limit: Int
  /// The sizes of reads, used in turn; an empty read asks again though nothing has come.
  private let sizes: [Int]
  private(set) var stream: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) {
    stream = bytes[...]
    limit = Int(stream.popFirst() ?? 0) % 64 + 1
    let count = Int(stream.popFirst() ?? 0) % 16
    // One empty read after another asks nothing new, and thousands of empty frames are refused for being so many.
    sizes = stream.prefix(count).reduce(into: []) { sizes, byte in
      let size = Int(byte) % 32
      if size > 0 || sizes.last != 0 { sizes.append(size) }
    }
    stream = stream.dropFirst(count)
  }

  /// Takes bytes from the front of the stream: at least one, a zero if there is none.
  mutating func take(atMost n: Int) -> [UInt8] {
    let bytes = Array(stream.prefix(n))
    stream = stream.dropFirst(n)
    return bytes.isEmpty ? [0] : bytes
  }

  /// The stream as it is read.
  var reads: [[UInt8]] { cut(stream) }

  /// Any bytes as they are read.
  func cut(_ bytes: some Sequence<UInt8>) -> [[UInt8]] {
    guard sizes.contains(where: { $0 > 0 }) else { return bytes.map { [$0] } }
    var reads: [[UInt8]] = []
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let size = sizes[reads.count % sizes.count]
      reads.append(Array(rest.prefix(size)))
      rest = rest.dropFirst(size)
    }
    return reads
  }
}
