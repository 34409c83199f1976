import Framing

/// A codec as a user would write one: lines of words, in quotes where a word has spaces. Receives only.
struct QuotedWords: Framing {
  func makeDecoder() -> Decoder { Decoder(lines: LineFraming().makeDecoder()) }
  func makeEncoder() -> RawFraming.Encoder { RawFraming().makeEncoder() }

  struct Decoder: FrameDecoder {
    var lines: LineFraming.Decoder
    var failure: FramingError?

    mutating func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [String]? {
      if let failure { throw failure }
      let offset = buffer.offset
      return try words(in: lines.decode(&buffer), at: offset)
    }

    mutating func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [String]? {
      if let failure { throw failure }
      let offset = buffer.offset
      return try words(in: lines.finish(&buffer), at: offset)
    }

    private mutating func words(in line: String?, at offset: UInt64) throws(FramingError) -> [String]? {
      guard let line else { return nil }
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      guard parts.count.isMultiple(of: 2) == false else {
        let error = FramingError.malformed("a quote is not closed", offset: offset)
        failure = error
        throw error
      }
      return parts.enumerated().flatMap { index, part in
        index.isMultiple(of: 2) ? part.split(separator: " ").map(String.init) : [String(part)]
      }
    }
  }
}
