import Testing

@testable import AsyncSockets

@Suite("A set of signals")
struct SignalSetTests {
  @Test("gives its members in order, each once")
  func members() {
    var set = SignalSet()
    for number in [15, 2, 63, 1, 2] as [Int32] { set.insert(SignalSet(number: number)) }
    #expect(set.numbers == [1, 2, 15, 63])
    var taken: [Int32] = []
    while let number = set.removeFirst() { taken.append(number) }
    #expect(taken == [1, 2, 15, 63])
    #expect(set.isEmpty)
  }

  @Test("holds every signal that the system has", arguments: Int32(1)...64)
  func everySignal(number: Int32) {
    #expect(SignalSet(number: number).numbers == [number])
  }
}
