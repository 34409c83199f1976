import Framing
import TestHarness
import Testing

@Suite("What verifyCodec reports")
struct ReportTests {
  /// Ends lines at LF and drops a CR before it, but believes a CR at the end of a read to be one of those.
  struct HastyFraming: Framing {
    func makeDecoder() -> Decoder { Decoder() }
    func makeEncoder() -> RawFraming.Encoder { RawFraming().makeEncoder() }

    struct Decoder: FrameDecoder {
      func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
        guard let end = buffer.firstIndex(of: 0x0A, from: buffer.searched) else {
          buffer.searched = buffer.count
          return buffer.pending.last == 0x0D ? take(buffer.count - 1, 1, &buffer) : nil
        }
        let isPair = end > 0 && buffer[end - 1] == 0x0D
        return take(isPair ? end - 1 : end, isPair ? 2 : 1, &buffer)
      }

      func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
        try decode(&buffer) ?? (buffer.isEmpty ? nil : buffer.takeAll())
      }

      private func take(_ kept: Int, _ dropped: Int, _ buffer: inout ReceiveBuffer) -> [UInt8] {
        let line = buffer.takePrefix(kept)
        buffer.consume(dropped)
        return line
      }
    }
  }

  @Test("the smallest reads are shown, in hex and as text")
  func smallestReads() throws {
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(HastyFraming(), streams: ["a line\r\nand a longer one\r\nrest"], checks: [.twoReads])
    }
    #expect(failure.check == .twoReads)
    #expect(failure.reads == [[13], [0x74]])
    #expect(
      "\(failure)" == """
        HastyFraming: what comes out depends on how the stream is cut into reads (twoReads, seed 1)
          at once   [], left 0D 74  "\\rt"
          got       [""], left 74  "t"
          2 bytes in 2 reads, shrunk from 30:
            0D  "\\r"
            74  "t"
        """)
  }

  @Test("the same seed finds the same, and the report names it")
  func seeds() throws {
    func report(_ seed: UInt64) throws -> String {
      let failure = try #require(throws: CodecFailure.self) {
        try verifyCodec(
          HastyFraming(), streams: ["a line\r\nand a longer one\r\n"], checks: [.randomReads], seed: seed)
      }
      #expect(failure.seed == seed)
      #expect("\(failure)".contains("seed \(seed)"))
      return failure.description
    }
    #expect(try report(7) == report(7))
  }

  @Test("a frame that an encoder spoils is shown alone")
  func smallestFrame() throws {
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(PlantedFraming(bug: .roundTrip), frames: ["one", "q", "two"].map { Array($0.utf8) })
    }
    #expect(
      "\(failure)" == """
        PlantedFraming: what is encoded does not decode to the same (roundTrip, seed 1)
          expected  of ["q"]: ["q"]
          got       ["p"]
          2 bytes in 1 read:
            70 0A  "p\\n"
        """)
  }

  @Test("frames without end are told, not waited for")
  func endless() throws {
    struct EndlessFraming: Framing {
      func makeDecoder() -> Decoder { Decoder() }
      func makeEncoder() -> RawFraming.Encoder { RawFraming().makeEncoder() }
      struct Decoder: FrameDecoder {
        func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? { [] }
        func finish(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? { [] }
      }
    }
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(EndlessFraming(), streams: ["ab"])
    }
    #expect(failure.check == .endless)
    #expect(
      "\(failure)" == """
        EndlessFraming: the decoder gives frames without end (endless, seed 1)
          expected  an end of frames, for 1 byte
          got       1041 frames and counting: decode gives "", and takes no bytes
          1 byte in 1 read:
            61  "a"
        """)
    // The other checks must come to an end as well, whatever they say.
    for check in CodecCheck.allCases {
      _ = try? verifyCodec(EndlessFraming(), streams: ["ab"], checks: [check])
    }
  }

  @Test(
    "an error that tells how much had come by then is found, and so is a frame that is always about to come")
  func hastyErrors() throws {
    struct HastyLimit: Framing {
      var namesWhatHasCome = false
      var isAlwaysMidFrame = false
      func makeDecoder() -> Decoder { Decoder(framing: self) }
      func makeEncoder() -> RawFraming.Encoder { RawFraming().makeEncoder() }
      struct Decoder: FrameDecoder {
        let framing: HastyLimit
        func decode(_ buffer: inout ReceiveBuffer) throws(FramingError) -> [UInt8]? {
          let end = buffer.firstIndex(of: 0x0A, from: buffer.searched)
          if end ?? buffer.count > 3 {
            let seen = framing.namesWhatHasCome ? buffer.count : 4
            throw .tooLong(limit: 3, seen: seen, offset: buffer.offset)
          }
          guard let end else {
            buffer.searched = buffer.count
            return nil
          }
          defer { buffer.consume(1) }
          return buffer.takePrefix(end)
        }
        func isMidFrame(_ buffer: borrowing ReceiveBuffer) -> Bool {
          framing.isAlwaysMidFrame || !buffer.isEmpty
        }
      }
    }
    let limit = CodecLimit(3, accepts: "abc\n", refuses: "abcd")
    for (framing, check) in [
      (HastyLimit(namesWhatHasCome: true), CodecCheck.limit), (HastyLimit(isAlwaysMidFrame: true), .midFrame),
    ] {
      let failure = try #require(throws: CodecFailure.self) {
        try verifyCodec(framing, streams: ["a\nb\n"], limit: limit, checks: [check])
      }
      #expect(failure.check == check)
    }
    try verifyCodec(HastyLimit(), streams: ["a\nb\n"], limit: limit, checks: [.limit, .midFrame])
  }

  @Test("what a limit expects names any size above it")
  func limitReports() throws {
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(
        PlantedFraming(maximumLength: 8), streams: [],
        limit: CodecLimit(7, accepts: "1234567\n", refuses: "12345678"))
    }
    #expect(
      failure.description.contains("expected  error .tooLong(limit: 7, seen: any above 7, offset: 0)\n"),
      "\(failure)")
  }

  #if DEBUG
    @Test("how many looks are too many is told by a rule")
    func looks() throws {
      let failure = try #require(throws: CodecFailure.self) {
        try verifyCodec(
          PlantedFraming(bug: .linearTime), streams: [.init(String(repeating: "x", count: 100))],
          checks: [.linearTime])
      }
      #expect(failure.description.contains("calls (3 for each byte and 16 for each call)"), "\(failure)")
    }
  #endif

  @Test("bytes that a codec loses are told as that, not by how its reads were cut")
  func lostBytes() throws {
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(PlantedFraming(bug: .leftovers), streams: ["one\ntwo\n"])
    }
    #expect(failure.check == .leftovers)
  }

  @Test("what is held without end is shown as what comes before, and the byte that comes again and again")
  func unbounded() throws {
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(
        PlantedFraming(bug: .bounded, maximumLength: 4), streams: ["ab\nqu\n"],
        limit: CodecLimit(4, accepts: "1234\n", refuses: "12345"))
    }
    #expect(
      "\(failure)" == """
        PlantedFraming: what is held grows without end (bounded, seed 1)
          expected  no more held than 1056 bytes once 1056 times 71 have come
          got       2112 held after 2112, with neither a frame nor an error
          4 bytes in 2 reads:
            61 62 0A  "ab\\n"
            71  "q"
        """)
  }

  @Test("a limit that accepts less than it allows proves nothing, and is an error")
  func vacuousLimit() throws {
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(
        LineFraming(maximumLength: 5), frames: ["one"],
        limit: CodecLimit(5, accepts: "12\n", refuses: "123456"))
    }
    #expect(
      "\(failure)" == """
        LineFraming: no frame of the 3 bytes that the limit of 5 accepts can be at that limit; give whole frames of \
        which one is exactly as long as it allows
        """)
  }

  @Test("a frame that the encoder takes though it can't be sent is shown")
  func unencodable() throws {
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(
        FixedLengthFraming(3), frames: [[1, 2, 3]], unencodable: [[1, 2], [0x78, 0x79, 0x7A]])
    }
    #expect(
      "\(failure)" == """
        FixedLengthFraming: the encoder does not refuse what it should (unencodable, seed 1)
          expected  of "xyz": an error .unencodable
          got       3 bytes: 78 79 7A  "xyz"
        """)
  }

  @Test("nothing to verify is an error")
  func nothing() throws {
    let failure = try #require(throws: CodecFailure.self) { try verifyCodec(LineFraming(), streams: []) }
    #expect("\(failure)" == "LineFraming: nothing to verify it with; give frames, streams or a limit")
    #expect(throws: CodecFailure.self) { try verifyCodec(LineFraming(), frames: []) }
  }

  @Test("long runs of a byte are counted, not listed")
  func longRuns() throws {
    let failure = try #require(throws: CodecFailure.self) {
      try verifyCodec(
        PlantedFraming(bug: .limit), streams: [],
        limit: CodecLimit(
          150, accepts: String(repeating: "x", count: 150) + "\n", refuses: String(repeating: "x", count: 151)
        ))
    }
    #expect(failure.description.contains("    78×151  \"xxx"))
  }
}
