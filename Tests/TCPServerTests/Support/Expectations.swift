import Peers

/// What a peer received is not what the test wanted. Thrown rather than recorded, since an expectation that fails on
/// a thread of its own belongs to no test.
struct Unexpected: Error, CustomStringConvertible {
  let description: String
}

extension BlockingPeer {
  /// Receives a line, which must be this one.
  func expectLine(_ line: String) throws {
    let received = try receiveLine()
    guard received == line else { throw Unexpected(description: "received \(received), not \(line)") }
  }

  /// Receives everything up to an orderly end of the stream, which must be this.
  func expectEnd(after text: String = "") throws {
    let (bytes, ending) = try receiveToEnding()
    guard bytes.elementsEqual(text.utf8), ending == .end else {
      let shown = String(decoding: bytes.suffix(100), as: UTF8.self).debugDescription
      let wanted = "\(text.utf8.count) bytes, ending in \(text.suffix(100).debugDescription), and the end"
      throw Unexpected(
        description: "received \(bytes.count) bytes, ending in \(shown), and a \(ending), not \(wanted)")
    }
  }

  /// Receives the end of the stream, orderly or not, and nothing before it.
  func expectNothing() throws {
    let (bytes, _) = try receiveToEnding()
    guard bytes.isEmpty else { throw Unexpected(description: "received \(bytes.count) bytes, not nothing") }
  }
}
