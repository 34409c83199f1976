import Framing
import Synchronization

/// A framed connection, for those who need not know its codec.
protocol CodecHandle: AnyObject, Sendable {
  var core: ConnectionCore { get }

  /// Whether another codec has taken over; it does so under the lock of the connection's state.
  var isSwitched: Bool { get }

  /// Whether it can be used by somebody else as if it were new. For the holder of the reading's claim, and with nothing
  /// left to be decoded.
  var isAtRest: Bool { get }
}

extension FramedConnection: CodecHandle {
  var isSwitched: Bool { phase.load(ordering: .relaxed) == .switched }

  /// Decodes on copies, so that nothing is taken: a decoder that keeps frames has one, and one that has failed throws.
  var isAtRest: Bool {
    if isSwitched { return false }
    var (decoder, buffer) = (decoder.value, core.reading.contents.buffer)
    do {
      if try decoder.decode(&buffer) != nil { return false }
    } catch {
      return false
    }
    return !decoder.isMidFrame(buffer)
  }
}
