import Testing

@testable import keyvalue

@Suite("A replicated log") struct ReplicatedLogTests {
  private typealias Offer = ReplicatedLog.Offer

  private func command(_ number: Int) throws -> Command {
    try #require(Command("alice \(number) APPEND x \(number)"))
  }

  private func primary(_ commands: Int, epoch: Int = 1) throws -> ReplicatedLog {
    var log = ReplicatedLog()
    #expect(log.promote(to: epoch, with: ["b"]) == nil)
    for number in 0..<commands { _ = log.append(try command(number)) }
    return log
  }

  @Test("commands and offers are what they were after a way as text")
  func text() throws {
    for text in ["alice 7 APPEND x 1 2", "bob 1 GET x ", "bob 2 PUT x "] {
      #expect(try #require(Command(text)).description == text)
    }
    let offer = try #require(try primary(3).offer(of: 2, in: 1))
    #expect(Offer(offer.description).map(\.description) == offer.description)
    for text in ["", "1 2 3", "1 0 -1 0 1 bob 1 GET x", "1 0 0 0 1 bob 1 SET x", "1 0 0 0 1 bob one GET x"] {
      #expect(Offer(text) == nil)
    }
  }

  @Test("a backup says where its list ends, and takes what is missing, and what it has already")
  func catchingUp() throws {
    let primary = try primary(3)
    var backup = ReplicatedLog()
    #expect(backup.accept(try #require(primary.offer(of: 2, in: 1))) == 0)
    for index in [0, 1, 1, 2, 0] {
      #expect(backup.accept(try #require(primary.offer(of: index, in: 1))) == index + 1)
    }
  }

  @Test("a backup gives up what differs from its new primary's list")
  func difference() throws {
    var backup = try primary(3)
    var primary = ReplicatedLog()
    #expect(primary.accept(try #require(backup.offer(of: 0, in: 1))) == 1)
    #expect(primary.promote(to: 2, with: ["a"]) == nil)
    for number in 7...9 { _ = primary.append(try command(number)) }
    #expect(backup.accept(try #require(primary.offer(of: 3, in: 2))) == 2)
    #expect(backup.accept(try #require(primary.offer(of: 2, in: 2))) == 1)
    for index in 1...3 { #expect(backup.accept(try #require(primary.offer(of: index, in: 2))) == index + 1) }
    #expect(backup.promote(to: 3, with: []) == nil)
    let done = backup.execute(through: 3, in: 3, forgetful: false)
    #expect(done?.map(\.1) == ["0", "07", "078", "0789"])
  }

  @Test("a primary of the past is refused, and finishes nothing any more")
  func past() throws {
    var old = try primary(1)
    var new = ReplicatedLog()
    #expect(new.accept(try #require(old.offer(of: 0, in: 1))) == 1)
    #expect(new.promote(to: 2, with: ["a"]) == nil)
    #expect(new.accept(try #require(old.offer(of: 0, in: 1))) == nil)
    #expect(old.accept(try #require(new.offer(of: 0, in: 2))) == 1)
    #expect(old.offer(of: 0, in: 1) == nil)
    #expect(old.append(try command(1)) == nil)
    #expect(old.execute(through: 0, in: 1, forgetful: false) == nil)
  }

  @Test("who has missed something is no primary, nor is who knows nothing")
  func promotion() throws {
    var primary = try primary(3)
    _ = primary.execute(through: 2, in: 1, forgetful: false)
    var backup = ReplicatedLog()
    #expect(backup.promote(to: 2, with: []) == "it knows nothing of the epochs before")
    _ = backup.accept(try #require(primary.offer(of: 0, in: 1)))
    #expect(backup.promote(to: 2, with: []) == "it lacks 2 commands")
    for index in 1...2 { _ = backup.accept(try #require(primary.offer(of: index, in: 1))) }
    #expect(backup.promote(to: 1, with: []) == "there is an epoch 1 already")
    #expect(backup.promote(to: 2, with: []) == nil)
    #expect(backup.promote(to: 2, with: []) == nil)
  }

  @Test("a command that was repeated is executed once, and answered alike")
  func repetition() throws {
    var log = try primary(1)
    _ = log.append(try command(0))
    let done = log.execute(through: 1, in: 1, forgetful: false)
    #expect(done?.count == 1)
    #expect(log.reply(to: 1) == "0")
  }
}
