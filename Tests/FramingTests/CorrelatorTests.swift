import Framing
import Testing

@Suite("Replies find their requests")
struct CorrelatorTests {
  typealias ByName = Correlator<String>

  @Test("in order, the first reply is the first request's")
  func inOrder() throws {
    var correlator = Correlator.inOrder()
    let tokens = [try correlator.request(), try correlator.request()]
    #expect(correlator.outstanding == 2)
    #expect(correlator.oldestWaiting == tokens[0])
    #expect(correlator.reply() == .reply(to: tokens[0]))
    #expect(correlator.reply() == .reply(to: tokens[1]))
    #expect(correlator.outstanding == 0)
    #expect(correlator.oldestWaiting == nil)
  }

  @Test("by id, replies come in any order")
  func byID() throws {
    var correlator = ByName.byID()
    let a = try correlator.request(id: "a")
    let b = try correlator.request(id: "b")
    #expect(correlator.reply(id: "b") == .reply(to: b))
    #expect(correlator.reply(id: "a") == .reply(to: a))
    #expect(correlator.reply(id: "a") == .unsolicited)
  }

  @Test("a cancelled request does not shift the replies of others")
  func cancelled() throws {
    var correlator = Correlator.inOrder()
    let tokens = [try correlator.request(), try correlator.request(), try correlator.request()]
    #expect(correlator.cancel(tokens[0]) == true)
    #expect(correlator.cancel(tokens[1]) == true)
    #expect(correlator.cancel(tokens[1]) == false)
    #expect(correlator.oldestWaiting == tokens[2])
    #expect(correlator.reply() == .cancelled)
    #expect(correlator.reply() == .cancelled)
    #expect(correlator.reply() == .reply(to: tokens[2]))
  }

  @Test("a request that was not sent is skipped, since no reply will come")
  func withdrawn() throws {
    var correlator = Correlator.inOrder()
    let tokens = [try correlator.request(), try correlator.request(), try correlator.request()]
    #expect(correlator.withdraw(tokens[1]) == true)
    #expect(correlator.withdraw(tokens[1]) == false)
    #expect(correlator.reply() == .reply(to: tokens[0]))
    #expect(correlator.reply() == .reply(to: tokens[2]))
  }

  @Test("an id is free again once its reply has come, and not before")
  func idsInUse() throws {
    var correlator = ByName.byID()
    let first = try correlator.request(id: "a")
    #expect(throws: CorrelatorError.idInUse("a")) { try correlator.request(id: "a") }
    correlator.cancel(first)
    #expect(throws: CorrelatorError.idInUse("a")) { try correlator.request(id: "a") }
    #expect(correlator.reply(id: "a") == .cancelled)
    let second = try correlator.request(id: "a")
    #expect(second != first)
    #expect(correlator.reply(id: "a") == .reply(to: second))
  }

  @Test("requests without a reply are bounded, those that were cancelled included")
  func bounded() throws {
    var correlator = try Correlator.inOrder(atMost: 2)
    let first = try correlator.request()
    _ = try correlator.request()
    #expect(throws: CorrelatorError.tooManyRequests(limit: 2)) { try correlator.request() }
    correlator.cancel(first)
    #expect(throws: CorrelatorError.tooManyRequests(limit: 2)) { try correlator.request() }
    #expect(correlator.reply() == .cancelled)
    _ = try correlator.request()
    #expect(Correlator.inOrder().limit == 1_024)
    #expect(ByName.byID().limit == 1_024)
  }

  @Test("a reply that nobody asked for is told apart, and changes nothing")
  func unsolicited() throws {
    var correlator = Correlator.inOrder()
    #expect(correlator.reply() == .unsolicited)
    let token = try correlator.request()
    #expect(correlator.reply() == .reply(to: token))
    #expect(correlator.reply() == .unsolicited)
  }

  @Test("the end settles every request that somebody waits for, in order, and refuses new ones")
  func end() throws {
    var correlator = ByName.byID()
    let tokens = try ["a", "b", "c", "d"].map { try correlator.request(id: $0) }
    correlator.cancel(tokens[1])
    #expect(correlator.reply(id: "c") == .reply(to: tokens[2]))
    #expect(correlator.end() == [tokens[0], tokens[3]])
    #expect(correlator.end() == [])
    #expect(correlator.cancel(tokens[0]) == false)
    #expect(correlator.reply(id: "a") == .unsolicited)
    #expect(correlator.outstanding == 0)
    #expect(throws: CorrelatorError.ended) { try correlator.request(id: "e") }
  }

  @Test("a limit that cannot work is refused, and errors say what to do")
  func wording() {
    #expect(
      throws: FramingError.invalidConfiguration(
        "at most 0 requests may be without a reply; allow at least 1")
    ) { try Correlator.inOrder(atMost: 0) }
    #expect(throws: FramingError.self) { try ByName.byID(atMost: -1) }
    #expect(
      "\(CorrelatorError.tooManyRequests(limit: 2))"
        == "2 requests have no reply yet, which is the limit; wait for replies, or allow more")
    #expect(
      "\(CorrelatorError.idInUse("7"))"
        == "a request with the id 7 has no reply yet; give each request an id of its own")
    #expect("\(CorrelatorError.ended)" == "the connection has ended, so no reply can come")
  }
}
