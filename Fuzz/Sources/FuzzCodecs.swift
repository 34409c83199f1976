import Framing
import Glibc

/// The codec that all inputs are for, by name; without it the first byte of each input picks one.
private let chosen: FuzzedCodec? = unsafe getenv("FUZZ_CODEC").flatMap { name in
  let name = unsafe String(cString: name)
  return FuzzedCodec.all.first { $0.name == name }
}

/// What libFuzzer calls before anything else: with FUZZ_LIST in the environment it prints the codecs' names, and that
/// is all. A name that no codec has is an error.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<UnsafeMutableRawPointer>
) -> Int32 {
  if unsafe getenv("FUZZ_LIST") != nil {
    for codec in FuzzedCodec.all { print(codec.name) }
    exit(0)
  }
  if let name = unsafe getenv("FUZZ_CODEC"), chosen == nil {
    fatalError("no codec is called \(unsafe String(cString: name)); FUZZ_LIST=1 lists them")
  }
  return 0
}

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  var bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  var codec = chosen
  if codec == nil, let first = bytes.first {
    codec = FuzzedCodec.all[Int(first) % FuzzedCodec.all.count]
    bytes.removeFirst()
  }
  if let codec, let finding = codec.finding(bytes) { fatalError("\(codec.name): \(finding)") }
  return 0
}
