import Testing

@testable import TCPClient

@Suite("The gate of a session")
struct SessionGateTests {
  private typealias Gate = SessionGate<Int, String>

  private func word(_ step: Gate.Step) -> String {
    switch step {
    case .send(let link, let number): "send on \(link) (\(number))"
    case .queued: "queued"
    case .measure: "measure"
    case .wait: "wait"
    case .fail(.disconnected): "disconnected"
    case .fail(.queueFull(let bytes)): "full: \(bytes)"
    case .fail(.ended(let ending)): "ended: \(ending)"
    }
  }

  @Test(
    "fails, waits or queues while it is closed, as its policy says, and requests wait instead of being queued"
  )
  func policies() {
    var failing = Gate(.fail)
    #expect(word(failing.send("a", size: nil)) == "disconnected")
    #expect(word(failing.request()) == "disconnected")
    var waiting = Gate(.wait)
    #expect(word(waiting.send("a", size: nil)) == "wait")
    #expect(word(waiting.request()) == "wait")
    var queueing = Gate(.queue(bytes: 3))
    #expect(word(queueing.send("a", size: nil)) == "measure")
    #expect(word(queueing.send("a", size: 2)) == "queued")
    #expect(word(queueing.send("b", size: 2)) == "full: 2")
    #expect(word(queueing.send("c", size: 1)) == "queued")
    #expect(word(queueing.send("d", size: 1)) == "full: 3")
    #expect(word(queueing.request()) == "wait")
    #expect(queueing.queued == ["a", "c"])
  }

  @Test("counts frames without bytes, too, so that they cannot be queued without end")
  func emptyFrames() {
    var gate = Gate(.queue(bytes: 3))
    for _ in 0..<3 { #expect(word(gate.send("", size: 0)) == "queued") }
    #expect(word(gate.send("", size: 0)) == "full: 3")
    let number = gate.connected(1)
    while gate.nextQueued(on: number) != nil { gate.removeFirstQueued() }
    #expect(gate.isUp && gate.queuedBytes == 0)
  }

  @Test("lets the queue out first, to which later sends are added meanwhile, or for which they wait")
  func queueFirst() {
    var gate = Gate(.queue(bytes: 3))
    _ = gate.send("a", size: 1)
    _ = gate.send("b", size: 1)
    let number = gate.connected(7)
    #expect(!gate.isUp)
    #expect(gate.nextQueued(on: number) == "a")
    #expect(gate.nextQueued(on: number) == "a")
    gate.removeFirstQueued()
    #expect(word(gate.send("c", size: 2)) == "queued")
    #expect(word(gate.send("d", size: 1)) == "wait")
    #expect(word(gate.send("too long for ever", size: 4)) == "full: 3")
    #expect(word(gate.request()) == "wait")
    #expect(gate.nextQueued(on: number) == "b")
    gate.removeFirstQueued()
    #expect(gate.nextQueued(on: number) == "c")
    gate.removeFirstQueued()
    #expect(gate.nextQueued(on: number) == nil)
    #expect(gate.isUp && gate.queuedBytes == 0)
    #expect(word(gate.send("d", size: nil)) == "send on 7 (1)")
    #expect(word(gate.request()) == "send on 7 (1)")
  }

  @Test("takes no notice of what an older connection has to say")
  func staleNews() {
    var gate = Gate(.fail)
    let first = gate.connected(1)
    gate.disconnected(first)
    let second = gate.connected(2)
    gate.disconnected(first)
    #expect(gate.nextQueued(on: first) == nil)
    #expect(word(gate.request()) == "send on 2 (2)")
    gate.disconnected(second)
    #expect(word(gate.request()) == "disconnected")
  }

  /// Frames are numbered, and the gate is opened, closed and used in every order.
  @Test(
    "sends each frame that was queued once and in order, whatever happens, in every order of six events")
  func exhaustive() {
    enum Event: CaseIterable { case send, connect, disconnect, flushOne }
    var wrong = 0
    for number in 0..<(1 << 12) {
      var gate = SessionGate<Int, Int>(.queue(bytes: 3))
      var (sent, accepted): ([Int], [Int]) = ([], [])
      var link: Int?
      for position in 0..<6 {
        switch Event.allCases[number >> (2 * position) & 3] {
        case .send:
          switch gate.send(position, size: 1) {
          case .send(_, let on):
            if on != link { wrong += 1 }
            accepted.append(position)
            sent.append(position)
          case .queued: accepted.append(position)
          case .fail(.queueFull(3)): if gate.queued.count != 3 || link != nil { wrong += 1 }
          case .wait: if gate.queued.count != 3 || link == nil { wrong += 1 }
          case .measure, .fail: wrong += 1
          }
        case .connect where link == nil: link = gate.connected(position)
        case .disconnect:
          if let link { gate.disconnected(link) }
          link = nil
        case .flushOne:
          guard let link else { continue }
          if let next = gate.nextQueued(on: link) {
            sent.append(next)
            gate.removeFirstQueued()
          } else if !gate.isUp {
            wrong += 1
          }
        case .connect: continue
        }
        if sent + gate.queued != accepted || gate.queuedBytes != gate.queued.count { wrong += 1 }
      }
    }
    #expect(wrong == 0)
  }

  @Test("tells everybody of the end, and opens again for another run")
  func end() {
    var gate = Gate(.wait)
    _ = gate.connected(1)
    gate.end(.cancelled)
    gate.disconnected()
    #expect(word(gate.send("a", size: nil)) == "ended: cancelled")
    #expect(word(gate.request()) == "ended: cancelled")
    gate.begin()
    #expect(word(gate.request()) == "wait")
  }
}
