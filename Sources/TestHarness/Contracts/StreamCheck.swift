/// What ``verifyStream(on:capabilities:watermarks:writeStallLimit:checks:limit:makePair:)`` checks, one by one.
public enum StreamCheck: String, ContractCheck {
  // Reading
  case pullDriven, backPressure, chunks, conversation, wholeStream
  case cancelledRead, timedOutRead, pastDeadline, secondReader
  case endOfStream, sendAfterEnd
  // Writing
  case atomicSends, gatheredSends, turns, cancelledTurn, cancelledAcceptance
  case highMark, lowMark, flush, writeStall
  // Ending
  case halfClose, endFollowsOutput
  case closeDelivers, closeWaits, closeLimit, closeDiscards, closeWakes, closeIdempotent
  case abort, scopeError, oneReason, drain
  // Resets
  case resetWakes, resetLasts, resetSeenByWriter, dataBeforeReset, lostOutput
  // As a whole
  case upgrade, nothingLeft

  /// What is promised, in one sentence.
  public var promise: String {
    switch self {
    case .pullDriven: "nothing is read before somebody asks, and no more than is asked for"
    case .backPressure: "a consumer that does not read makes its peer wait, and loses nothing"
    case .chunks: "a read gives between 1 byte and its limit, and all 256 values pass"
    case .conversation: "no wake-up is lost, however often both sides wait for each other"
    case .wholeStream: "much data goes both ways at once, byte for byte"
    case .cancelledRead: "a cancelled read consumes nothing"
    case .timedOutRead: "a read that times out consumes nothing"
    case .pastDeadline: "a deadline in the past fails without a call, though data is ready"
    case .secondReader: "a second reader is refused as busy, and the first is not disturbed"
    case .endOfStream: "the end comes after all data, is nil for ever, and no error"
    case .sendAfterEnd: "after the peer's end, output still goes out"
    case .atomicSends: "concurrent sends are whole on the wire, each sender's in its order"
    case .gatheredSends: "pieces that are sent as one stay together beside other senders"
    case .turns: "at the high mark senders are let in first come, first served"
    case .cancelledTurn: "cancelled while it waits its turn, a send sends nothing"
    case .cancelledAcceptance: "cancelled once it is accepted, a send returns and its bytes go"
    case .highMark: "senders wait from the high mark on, and the queue is at most one message longer"
    case .lowMark: "a sender that waits goes on once the queue has fallen to the low mark"
    case .flush: "a flush returns when the transport has everything sent before, and not sooner"
    case .writeStall: "output that the peer does not take within the write stall limit ends the connection"
    case .halfClose: "each direction ends by itself, and the other goes on"
    case .endFollowsOutput: "the end follows what is queued, also when the wait for it is cancelled"
    case .closeDelivers: "a close delivers what is queued, and then the end"
    case .closeWaits: "a close returns when the peer has ended, too"
    case .closeLimit: "a close waits for a silent peer for a second, and no longer"
    case .closeDiscards: "input that nobody has read does not cost the peer what is under way to it"
    case .closeWakes: "a close tells those who wait that the connection is closed"
    case .closeIdempotent:
      "repeated closes return when the first is done, and later calls are told it is closed"
    case .abort: "an abort drops what is queued, and the peer is told"
    case .scopeError: "leaving the scope by an error flushes for at most a second, then resets"
    case .oneReason: "a connection has one close reason: the first"
    case .drain: "a drain delivers what had arrived, then ends the input, and output goes on"
    case .resetWakes: "a reader that waits is told of the peer's reset"
    case .resetLasts: "a reset that a read has seen is thrown by every later call"
    case .resetSeenByWriter: "a reset that a write has seen is thrown by every later call"
    case .dataBeforeReset: "what the peer sent before its reset is delivered first"
    case .lostOutput: "output that was accepted and is lost is told by the next operation"
    case .upgrade: "another transport on top goes on with the stream"
    case .nothingLeft: "connections of every ending leave nothing on the loop"
    }
  }

  /// What most likely broke it.
  public var advice: String {
    switch self {
    case .pullDriven, .backPressure:
      "buffers of the transport without a bound, and reads that nobody asked for"
    case .chunks: "the count that read(into:) answers"
    case .conversation, .wholeStream:
      "notifyReadiness: every .wouldBlock must be followed by news of that direction, also when the change came "
        + "during the call"
    case .cancelledRead, .timedOutRead, .secondReader: "bytes that a read takes and does not hand out"
    case .pastDeadline, .closeIdempotent, .oneReason: "whatever stands between the connection and its user"
    case .endOfStream: ".end before all bytes are read, or an end that is not repeated"
    case .sendAfterEnd, .halfClose, .endFollowsOutput: "shutdownWrite, which ends one direction alone"
    case .atomicSends, .gatheredSends, .turns: "the count that write(_:) answers: bytes taken, in order, once"
    case .cancelledTurn, .cancelledAcceptance: "bytes that write(_:) takes and does not count, or the reverse"
    case .highMark, .lowMark: "the options of the connections: the watermarks that the verifier was told"
    case .flush: "write(_:) must count what it has taken, and .wouldBlock must be followed by news"
    case .writeStall: "the options of the connections: the write stall limit that the verifier was told"
    case .closeDelivers, .closeWaits, .closeLimit, .closeDiscards, .closeWakes:
      "close(abortively: false), which ends the stream after all that was written, and reads until the peer's end"
    case .abort, .scopeError: "close(abortively: true), which must reach the peer"
    case .drain: "unreadBytes: at least what could be read without waiting"
    case .resetWakes, .resetLasts, .resetSeenByWriter, .lostOutput:
      "a reset of the peer must be .failed(ECONNRESET) for the next call, with news for both directions and .final"
    case .dataBeforeReset: "bytes that had arrived before the reset, which come first"
    case .upgrade: "notifyReadiness, which is called again for whom to tell from then on"
    case .nothingLeft: "what keeps a connection, or a deadline, after its end"
    }
  }

  /// What a stream must be able to do for the check to make sense.
  var needs: StreamCapabilities {
    switch self {
    case .sendAfterEnd, .halfClose, .endFollowsOutput: .halfClose
    case .resetWakes, .resetLasts, .resetSeenByWriter, .dataBeforeReset, .lostOutput: .reset
    default: []
    }
  }
}
