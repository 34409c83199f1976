import Glibc
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("The dispositions of signals", .serialized, .timeLimit(.minutes(4)))
struct DispositionTests {
  @Test("return with the last sequence that wanted a signal", arguments: [SIGUSR1, SIGHUP, SIGTERM, 64])
  func restored(number: Int32) async {
    await #expect(processExitsWith: .success) { [number = number as Int32] in
      await reportingErrors {
        let signal = ProcessSignals.Signal(rawValue: number)
        for isIgnored in [false, true] {
          if isIgnored { Disposition.setIgnored(number) }
          let before = Disposition(of: number)
          do {
            let first = try ProcessSignals(signal)
            let caught = Disposition(of: number)
            #expect(caught != before)
            do {
              let second = try ProcessSignals(signal, signal)
              #expect(Disposition(of: number) == caught)
              kill(getpid(), number)
              #expect(await next(of: second) == signal)
            }
            #expect(Disposition(of: number) == caught)
            #expect(await next(of: first) == signal)
            // An iterator keeps its sequence alive.
            var iterator = try ProcessSignals(signal).makeAsyncIterator()
            kill(getpid(), number)
            #expect(await iterator.next() == signal)
          }
          #expect(Disposition(of: number) == before)
        }
      }
    }
  }

  @Test("of SIGPIPE, and of all that nobody asked for, are left alone (P65)")
  func untouched() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let numbers = (Int32(1)...31).filter { ![SIGKILL, SIGSTOP, SIGUSR1].contains($0) }
        let before = numbers.map(Disposition.init(of:))
        let loop = try EventLoop()
        let listener = try Listener.bind(to: .loopback(), on: loop)
        let signals = try ProcessSignals(.user1)
        kill(getpid(), SIGUSR1)
        #expect(await next(of: signals) == .user1)
        #expect(numbers.map(Disposition.init(of:)) == before)
        listener.close()
        await loop.shutdown()
      }
    }
  }

  @Test("of signals that nobody can catch are refused in words", arguments: [SIGKILL, SIGSTOP])
  func uncatchable(number: Int32) async {
    let signal = ProcessSignals.Signal(rawValue: number)
    let error = #expect(throws: SocketError.self) { try ProcessSignals(signal) }
    #expect(error?.isInvalid == true)
    #expect(error?.description.contains("\(signal) cannot be caught") == true)
  }

  @Test("are refused for numbers that are no signals", arguments: [0, -1, 65, 1000, Int32.max, .min])
  func noSignals(number: Int32) {
    let error = #expect(throws: SocketError.self) { try ProcessSignals(.init(rawValue: number)) }
    #expect(error == .invalid("there is no signal \(number): signals have numbers from 1 to 64"))
  }

  @Test("are all as before when one of several signals is refused")
  func partlyRefused() async {
    await #expect(processExitsWith: .success) {
      let before = Disposition(of: SIGUSR1)
      #expect(throws: SocketError.self) { try ProcessSignals(.user1, .init(rawValue: SIGSTOP)) }
      #expect(throws: SocketError.self) { try ProcessSignals(.user1, .init(rawValue: 65)) }
      #expect(Disposition(of: SIGUSR1) == before)
    }
  }

  @Test("end a process again once nobody waits for the signal")
  func defaultAgain() async {
    await #expect(processExitsWith: .signal(SIGUSR1)) {
      await reportingErrors {
        do {
          let signals = try ProcessSignals(.user1)
          kill(getpid(), SIGUSR1)
          #expect(await next(of: signals) == .user1)
        }
        signalThisThread(SIGUSR1)
        try await eventually("the process ends") { false }
      }
    }
  }
}
