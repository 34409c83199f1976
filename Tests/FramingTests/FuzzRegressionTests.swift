import CodecFuzzing
import Testing

@Suite("What the fuzzer is started with, and what it has found (P63)")
struct FuzzRegressionTests {
  @Test("every codec has a corpus, and all of it comes to what the model says", arguments: FuzzedCodec.all)
  func corpus(codec: FuzzedCodec) throws {
    let inputs = FuzzInputs("Corpus/\(codec.name)")
    #expect(!inputs.names.isEmpty)
    for name in inputs.names { #expect(codec.finding(try inputs.bytes(of: name)) == nil, "\(name)") }
  }

  @Test("no input that once failed fails again", arguments: FuzzedCodec.all)
  func crashes(codec: FuzzedCodec) throws {
    let inputs = FuzzInputs("Crashes/\(codec.name)")
    for name in inputs.names { #expect(codec.finding(try inputs.bytes(of: name)) == nil, "\(name)") }
  }

  @Test("no input is for a codec that is not fuzzed", arguments: ["Corpus", "Crashes"])
  func noStrangers(kind: String) {
    for name in FuzzInputs(kind).names {
      #expect(FuzzedCodec.all.contains { $0.name == name }, "\(kind)/\(name)")
    }
  }

  @Test("the bytes of an input are the limit, the reads and the stream")
  func finding() throws {
    let inputs = FuzzInputs("Corpus/lines-newline")
    #expect(try inputs.bytes(of: "at-the-limit") == [4, 0] + Array("12345\r\n12345\n123456\n".utf8))
  }
}

extension FuzzedCodec: CustomTestStringConvertible {
  /// Its name.
  public var testDescription: String { name }
}
