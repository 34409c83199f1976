import Framing
import TestHarness
import Testing

@Suite("verifyCodec finds what is planted")
struct PlantedBugTests {
  #if DEBUG
    static let visible: [CodecCheck] = CodecCheck.allCases
  #else
    // Release builds do not count.
    static let visible: [CodecCheck] = CodecCheck.allCases.filter { $0 != .linearTime }
  #endif

  private func verify(_ bug: CodecCheck?, _ checks: Set<CodecCheck>) throws {
    try verifyCodec(
      PlantedFraming(bug: bug), frames: ["one", "", "queue"].map { Array($0.utf8) },
      unencodable: [[UInt8](repeating: 0x78, count: 111)],
      streams: [
        .init(String(repeating: "x", count: 80) + "\n"),
        .init(String(repeating: "y", count: 40) + "\n"),
        .init("good\nbad\n", frames: [Array("good".utf8), Array("bad".utf8)]),
        "unfinished",
      ],
      limit: CodecLimit(
        110, accepts: String(repeating: "x", count: 110) + "\n",
        refuses: String(repeating: "x", count: 111)),
      checks: checks)
  }

  @Test("the codec without a bug passes")
  func none() throws {
    try verify(nil, .all)
  }

  @Test("each check sees its bug (P19–P25)", arguments: PlantedBugTests.visible)
  func seen(bug: CodecCheck) throws {
    let failure = try #require(throws: CodecFailure.self) { try verify(bug, .all) }
    #expect(failure.check == bug, "\(failure)")
  }

  @Test("and no other check does", .thoroughOnly, arguments: CodecCheck.allCases)
  func seenByNoOther(bug: CodecCheck) throws {
    try verify(bug, .all.subtracting([bug]))
  }
}
