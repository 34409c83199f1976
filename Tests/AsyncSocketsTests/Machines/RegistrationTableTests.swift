import TestSupport
import Testing

@testable import AsyncSockets

@Suite("The table of watched descriptors")
struct RegistrationTableTests {
  private final class Target: Pollable {
    func withDescriptor<Result>(_ body: (Int32) -> Result) -> Result? { nil }
    func ready(_ events: Epoll.Events) {}
    func registrationFailed(_ error: SocketError) {}
    func loopStopped() {}
    func describe(to snapshot: inout EventLoop.Snapshot) {}
  }

  @Test("finds a target by its key")
  func finds() {
    var table = RegistrationTable()
    let (one, other) = (Target(), Target())
    let keyOfOne = table.insert(one, descriptor: 7)
    let keyOfOther = table.insert(other, descriptor: 300)
    #expect(table.target(forKey: keyOfOne) === one)
    #expect(table.target(forKey: keyOfOther) === other)
    #expect(table.count == 2)
  }

  @Test("keeps an event for a closed descriptor from whoever has its number now (P02)")
  func reusedNumber() {
    var table = RegistrationTable()
    let (old, new) = (Target(), Target())
    let oldKey = table.insert(old, descriptor: 5)
    table.remove(old, descriptor: 5)
    #expect(table.target(forKey: oldKey) == nil)
    let newKey = table.insert(new, descriptor: 5)
    #expect(oldKey != newKey)
    #expect(table.target(forKey: oldKey) == nil)
    #expect(table.target(forKey: newKey) === new)
  }

  @Test("does the same when the new target comes before the old one is taken out (P02)")
  func lateRemoval() {
    var table = RegistrationTable()
    let (old, new) = (Target(), Target())
    let oldKey = table.insert(old, descriptor: 5)
    let newKey = table.insert(new, descriptor: 5)
    #expect(table.target(forKey: oldKey) == nil)
    #expect(table.count == 1)
    table.remove(old, descriptor: 5)
    #expect(table.target(forKey: newKey) === new)
    #expect(table.count == 1)
    table.remove(new, descriptor: 5)
    #expect(table.target(forKey: newKey) == nil)
    #expect(table.count == 0)
  }

  @Test("gives a key of its own to the same target at the same number")
  func sameTargetAgain() {
    var table = RegistrationTable()
    let target = Target()
    let first = table.insert(target, descriptor: 3)
    table.remove(target, descriptor: 3)
    let second = table.insert(target, descriptor: 3)
    #expect(table.target(forKey: first) == nil)
    #expect(table.target(forKey: second) === target)
  }

  @Test("knows nothing of numbers that it never saw")
  func unknownNumbers() {
    var table = RegistrationTable()
    let target = Target()
    table.remove(target, descriptor: 99)
    #expect(table.target(forKey: 99) == nil)
    #expect(table.target(forKey: Epoll.wakeKey) == nil)
    #expect(table.count == 0)
    #expect(table.insert(target, descriptor: 0) != Epoll.wakeKey)
  }

  @Test("gives everybody away at the end, once")
  func removeAll() {
    var table = RegistrationTable()
    let targets = (0..<10).map { _ in Target() }
    let keys = targets.enumerated().map { table.insert($1, descriptor: Int32($0 * 3)) }
    table.remove(targets[4], descriptor: 12)
    let removed = table.removeAll()
    #expect(
      removed.map(ObjectIdentifier.init) == targets.filter { $0 !== targets[4] }.map(ObjectIdentifier.init))
    #expect(table.count == 0)
    #expect(table.removeAll().isEmpty)
    #expect(keys.allSatisfy { table.target(forKey: $0) == nil })
    // Those who hear of the end take themselves out.
    table.remove(targets[0], descriptor: 0)
    #expect(table.count == 0)
  }

  @Test("agrees with a dictionary, whatever comes and goes")
  func agreesWithModel() throws {
    var numbers = SeededGenerator(seed: 3)
    var table = RegistrationTable()
    var current: [Int32: (target: Target, key: UInt64)] = [:]
    var gone: [UInt64] = []
    for _ in 0..<5000 {
      let descriptor = Int32.random(in: 0..<20, using: &numbers)
      if Bool.random(using: &numbers) {
        if let old = current[descriptor] { gone.append(old.key) }
        let target = Target()
        current[descriptor] = (target, table.insert(target, descriptor: descriptor))
      } else if let old = current.removeValue(forKey: descriptor) {
        gone.append(old.key)
        table.remove(old.target, descriptor: descriptor)
      }
      try #require(table.count == current.count)
    }
    #expect(current.values.allSatisfy { table.target(forKey: $0.key) === $0.target })
    #expect(gone.allSatisfy { table.target(forKey: $0) == nil })
  }
}
