import TestHarness
import Testing

@Suite struct ReplayTokenTests {
  @Test(
    "a token is read as it was printed, whatever the faults",
    arguments: [
      "v1,0", "v1,18446744073709551615", "v1,4711,crash:server@12.345+3.2",
      "v1,7,kill:a@0+0.001,cut:a:b@1+2,block:a:b@1.5+2,reset:a:b@2",
      "v1,7,slow:a:b=0.5/0.1//0.25@3+4,slow:a:b=0/0/1000/0.0@3+4",
      "v1,7,unresolved:db.example@1+1,descriptors:a=8@1+1,clock:a=-20@1,clock:a=0.000000001@1",
      "v1,7,crash:caf%c3%a9%2c%3d%40@1+1",
    ])
  func roundTrip(text: String) throws {
    #expect("\(try ReplayToken(text))" == text)
  }

  @Test("a token says the seed and the faults")
  func contents() throws {
    let token = try ReplayToken("v1,4711,crash:caf%c3%a9@12.345+3.2,cut:client:server@20+4")
    #expect(token.seed == 4711)
    #expect(token.faults.map(\.begin) == [.milliseconds(12_345), .seconds(20)])
    #expect(token.faults[0].effect == .crash("café") && token.faults[0].length == .milliseconds(3200))
    #expect(
      token.faults.map(\.description) == [
        "café crashes, and is back after 3.2 s", "client and server are cut off from each other for 4.0 s",
      ])
  }

  @Test(
    "what is no token is refused, with what is wrong and where",
    arguments: [
      ("", "begins with \"\" and not with \"v1,\""),
      ("v2,1", "begins with \"v2\""),
      ("v1", "ends before its seed"),
      ("v1,-1", "the seed must be a number, but is \"-1\""),
      ("v1,1,", "fault 1, \"\": it says no time"),
      (
        "v1,1,reset:a:b@1,crush:a@1+1",
        "fault 2, \"crush:a@1+1\": there is no fault \"crush\", only crash, kill"
      ),
      ("v1,1,crash@1+1", "crash needs 1 name"),
      ("v1,1,cut:a@1+1", "cut needs 2 names"),
      ("v1,1,cut:a:a@1+1", "between \"a\" and itself"),
      ("v1,1,crash:%zz@1+1", "crash needs 1 name"),
      ("v1,1,crash:localhost@1+1", "\"localhost\" cannot crash"),
      ("v1,1,crash:10.0.0.1@1+1", "reads as an address"),
      ("v1,1,crash:a@x+1", "\"x\" is no time in seconds"),
      ("v1,1,crash:a@-1+1", "\"-1\" is no time"),
      ("v1,1,crash:a@1", "should end like +3.2"),
      ("v1,1,crash:a@99999999999999999999+1", "is no time in seconds"),
      ("v1,1,reset:a:b@1+1", "reset takes no time"),
      ("v1,1,crash:a=3@1+1", "crash has no value, but is given \"3\""),
      ("v1,1,slow:a:b=1/2/3@1+1", "slow needs =latency/jitter/bandwidth/loss"),
      ("v1,1,slow:a:b=1/2/3/1.5@1+1", "a loss must be at least 0 and less than 1"),
      ("v1,1,descriptors:a=-1@1+1", "cannot have -1 descriptors"),
      ("v1,1,clock:a=soon@1", "clock needs seconds"),
    ])
  func malformed(text: String, problem: String) {
    let error = #expect(throws: SimulationError.self) { try ReplayToken(text) }
    let description = error?.description ?? ""
    #expect(description.contains(problem), "\(description)")
    #expect(description.contains(text.debugDescription))
  }
}
