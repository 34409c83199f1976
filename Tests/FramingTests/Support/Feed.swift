import Framing
import Testing

/// A decoder with its buffer, driven as a connection drives it.
struct Feed<F: Framing> where F.Decoder.Frame: Equatable {
  typealias Frame = F.Decoder.Frame

  var decoder: F.Decoder
  var buffer = ReceiveBuffer()
  private(set) var error: FramingError?

  init(_ framing: F) {
    decoder = framing.makeDecoder()
  }

  /// Appends what a read brought, and takes every frame that is whole.
  mutating func read(_ bytes: [UInt8]) -> [Frame] {
    buffer.append(contentsOf: bytes)
    return drain { feed throws(FramingError) in try feed.decoder.decode(&feed.buffer) }
  }

  mutating func read(_ text: String) -> [Frame] {
    read(Array(text.utf8))
  }

  /// Ends the stream, and takes what that yields.
  mutating func end() -> [Frame] {
    drain { feed throws(FramingError) in try feed.decoder.finish(&feed.buffer) }
  }

  private mutating func drain(_ next: (inout Self) throws(FramingError) -> Frame?) -> [Frame] {
    var frames: [Frame] = []
    do throws(FramingError) {
      while let frame = try next(&self) { frames.append(frame) }
      #expect(error == nil, "a decoder that has failed went on")
    } catch let thrown {
      #expect(
        error == nil || (error == thrown && frames.isEmpty), "a decoder that has failed changed its mind")
      error = thrown
    }
    return frames
  }
}
