/// What ``verifyCodec(_:streams:limit:joining:checks:seed:)`` checks, one by one.
public enum CodecCheck: String, CaseIterable, Sendable {
  /// A decoder comes to an end of frames: sooner or later `decode` and `finish` return `nil` for bytes that they have.
  /// The other checks look at no stream for which it does not.
  case endless
  /// A stream that comes at once gives the frames and the error that its sample names.
  case expectation
  /// What a decoder consumes before it asks for more bytes is no part of the next frame.
  case leftovers
  /// A stream in two reads gives what it gives at once, wherever it is cut.
  case twoReads
  /// A stream of up to 64 bytes in three reads gives what it gives at once, wherever it is cut.
  case threeReads
  /// A stream in reads of one byte gives what it gives at once.
  case byteByByte
  /// A stream in reads of random sizes gives what it gives at once.
  case randomReads
  /// A stream with bytes changed, added or lost at random does too, be it frames or an error.
  case damage
  /// Of a stream that ends anywhere, nothing is lost without an error, and ``FramingError/truncated(held:offset:)``
  /// tells the truth.
  case truncation
  /// A frame at the limit passes; a greater one is refused at the first byte that makes it certain, no sooner, and with
  /// the same error whatever has come behind it. Not checked without a ``CodecLimit``.
  case limit
  /// However often a byte is repeated without a frame or an error, what is held stops growing, at the latest at eight
  /// times the limit. Not checked without a ``CodecLimit``.
  case bounded
  /// What is encoded decodes to the same frames.
  case roundTrip
  /// What the encoder is to refuse, it refuses, with ``FramingError/unencodable(_:)``.
  case unencodable
  /// An encoder leaves alone what is in the output already, and does not depend on it.
  case appending
  /// A copy of a decoder and its buffer, or of an encoder, goes on by itself.
  case copies
  /// A decoder that has failed throws the same error for ever, and takes nothing more.
  case failure
  /// Bytes looked at grow with the bytes received, though they come one by one: at most 3 for each byte (2 to
  /// search, 1 to take) and 16 for each call. Counted in debug builds; release builds have no counter, and pass.
  case linearTime
  /// Where `isMidFrame` is false, the end of the stream brings no frame and no error. Where it is true, it brings
  /// either, or else (a frame that is dropped) makes it false.
  case midFrame
  /// Without new bytes there is no frame, and nothing is consumed.
  case nothing
  /// After the end of the stream there is no further frame.
  case afterEnd
  /// A decoder that takes over in the middle of a connection does as at its beginning.
  case takeover

  /// The check in words, as a report begins.
  var problem: String {
    switch self {
    case .endless: "the decoder gives frames without end"
    case .expectation: "the stream does not give what the sample says"
    case .twoReads, .threeReads, .byteByByte, .randomReads:
      "what comes out depends on how the stream is cut into reads"
    case .damage: "what comes out of a damaged stream depends on how it is cut into reads"
    case .truncation: "what is left at the end of the stream is not accounted for"
    case .limit: "the limit is not kept"
    case .bounded: "what is held grows without end"
    case .roundTrip: "what is encoded does not decode to the same"
    case .unencodable: "the encoder does not refuse what it should"
    case .appending: "the encoder does not just append"
    case .copies: "a copy is not independent of its original"
    case .leftovers: "decode took a part of the next frame and then asked for more bytes"
    case .failure: "a decoder that has failed does not stay so"
    case .linearTime: "the codec looks at the same bytes again and again"
    case .midFrame: "isMidFrame and finish disagree"
    case .nothing: "something comes of no bytes"
    case .afterEnd: "something comes after the end"
    case .takeover: "the decoder works at the start of a connection only"
    }
  }
}

extension Set<CodecCheck> {
  /// Every check.
  public static var all: Set<CodecCheck> { Set(CodecCheck.allCases) }

  /// Those that hold for `then` as well.
  ///
  /// What its outer frames bring is the decoder's own: it is consumed before an inner frame is whole (no `leftovers`),
  /// and places in errors of the inner framing count the bytes in outer frames (no `truncation`, no `takeover`).
  public static var stacked: Set<CodecCheck> { .all.subtracting([.leftovers, .truncation, .takeover]) }
}
