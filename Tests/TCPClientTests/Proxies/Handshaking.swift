import Framing

@testable import TCPClient

/// What a handshake makes of a proxy's bytes, in whatever pieces they come.
struct Handshaking: Hashable {
  var steps: [ProxyStep] = []
  /// What it has not taken.
  var leftover: [UInt8] = []
  var error: FramingError?

  init(_ handshake: some ProxyHandshake, reads: [[UInt8]], ends: Bool = false) {
    var handshake = handshake
    var buffer = ReceiveBuffer()
    do throws(FramingError) {
      for bytes in reads {
        buffer.append(contentsOf: bytes)
        while let step = try handshake.decode(&buffer) { steps.append(step) }
      }
      if ends { _ = try handshake.finish(&buffer) }
    } catch {
      self.error = error
    }
    leftover = buffer.takeAll()
  }

  /// The last step, if it was not an error that ended it.
  var end: ProxyStep? { error == nil ? steps.last : nil }
}

/// All ways to cut up to 13 bytes into pieces.
func everySplit(of bytes: [UInt8]) -> [[[UInt8]]] {
  precondition((1...13).contains(bytes.count))
  return (0..<1 << (bytes.count - 1)).map { cuts in
    var pieces: [[UInt8]] = [[]]
    for (index, byte) in bytes.enumerated() {
      pieces[pieces.count - 1].append(byte)
      if cuts >> index & 1 == 1 { pieces.append([]) }
    }
    return pieces.filter { !$0.isEmpty }
  }
}

/// All ways to cut bytes in two, and byte by byte.
func everyCut(of bytes: [UInt8]) -> [[[UInt8]]] {
  bytes.indices.map { [Array(bytes[..<$0]), Array(bytes[$0...])] } + [bytes.map { [$0] }]
}
