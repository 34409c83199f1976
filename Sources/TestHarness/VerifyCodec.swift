import Framing

/// Proves a codec on streams: the same frames however they are cut into reads, nothing lost, limits kept.
///
/// ```swift
/// @Test func words() throws {
///   try verifyCodec(
///     QuotedWords(),
///     streams: [
///       "one two\nthree\n",
///       .init("\"a b\" c\n", frames: [["a b", "c"]]),
///       .init("\"open\n", fails: .malformed("a quote is not closed", offset: 0)),
///     ])
/// }
/// ```
///
/// What is checked is in ``CodecCheck``. Streams of up to 512 bytes are cut at every place, longer ones near their
/// ends and at random places: a frame of 4 KiB takes a second or so in a debug build, times what a closure for each byte
/// costs. Give short streams with everything in them that the codec knows: empty frames,
/// terminators, escapes, the beginning of a terminator in the middle of a frame, an unfinished frame at the end.
///
/// A codec that does not return from a call cannot be helped, and neither can its test: nothing can end it from outside.
/// A decoder that gives frames without end is ``CodecCheck/endless``.
///
/// - Parameters:
///   - framing: What makes the codec.
///   - streams: What is received, from the first byte to the end of the stream.
///   - limit: Streams at the limit and just above it; the limit is not checked if left out.
///   - joining: For a codec whose frames depend on the reads by design: brings frames into a form that does not, such
///     as `{ [Array($0.joined())] }` for raw bytes. Left out, the frames themselves are compared.
///   - checks: Which checks to run; all of them by default.
///   - seed: Where random choices begin; every run with the same seed makes the same ones.
/// - Throws: ``CodecFailure`` for the first check that fails. Its description is a report with the smallest reads that
///   show the failure.
public func verifyCodec<F: Framing>(
  _ framing: F, streams: [CodecSample<F.Decoder.Frame>], limit: CodecLimit? = nil,
  joining: (([F.Decoder.Frame]) -> [F.Decoder.Frame])? = nil, checks: Set<CodecCheck> = .all, seed: UInt64 = 1
) throws(CodecFailure) where F.Decoder.Frame: Equatable {
  guard !streams.isEmpty || limit != nil else { throw CodecFailure(nothingToVerify: "\(F.self)") }
  let verifier = CodecVerifier(framing: framing, joined: joining ?? { $0 }, checks: checks, seed: seed)
  try verifier.check(streams, limit)
}

/// Proves a codec on frames, which are encoded, and on streams.
///
/// ```swift
/// try verifyCodec(LineFraming(), frames: ["one", "", "zwölf"])
/// ```
///
/// The encoder is checked first; then what it made of the frames is decoded like the other streams, in every way.
///
/// - Parameters:
///   - framing: What makes the codec.
///   - frames: What is sent: short ones, the empty one if there is such a thing, and one with all that has to be
///     escaped.
///   - unencodable: Frames that the encoder must refuse, such as one just above its limit.
///   - streams: What else is received, such as what is malformed.
///   - limit: Streams at the limit and just above it; the limit is not checked if left out.
///   - joining: As for ``verifyCodec(_:streams:limit:joining:checks:seed:)``.
///   - checks: Which checks to run; all of them by default.
///   - seed: Where random choices begin; every run with the same seed makes the same ones.
/// - Throws: ``CodecFailure`` for the first check that fails.
public func verifyCodec<F: Framing>(
  _ framing: F, frames: [F.Decoder.Frame], unencodable: [F.Decoder.Frame] = [],
  streams: [CodecSample<F.Decoder.Frame>] = [], limit: CodecLimit? = nil,
  joining: (([F.Decoder.Frame]) -> [F.Decoder.Frame])? = nil, checks: Set<CodecCheck> = .all, seed: UInt64 = 1
) throws(CodecFailure) where F.Decoder.Frame: Equatable, F.Encoder.Frame == F.Decoder.Frame {
  guard !frames.isEmpty || !unencodable.isEmpty || !streams.isEmpty || limit != nil else {
    throw CodecFailure(nothingToVerify: "\(F.self)")
  }
  let verifier = CodecVerifier(framing: framing, joined: joining ?? { $0 }, checks: checks, seed: seed)
  let encoded = try verifier.check(encoding: frames)
  try verifier.check(refusalOf: unencodable, after: frames)
  try verifier.check(frames.isEmpty ? streams : [CodecSample(encoded)] + streams, limit)
}
