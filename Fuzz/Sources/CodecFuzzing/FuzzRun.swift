import Framing

/// What a codec makes of a stream, and what is wrong with how it does so.
struct FuzzRun<Frame: Equatable & Sendable> {
  private(set) var frames: [Frame] = []
  private(set) var error: FramingError?
  /// The bytes that are left when all reads are decoded, before the end of the stream.
  private(set) var pending: [UInt8]?
  private(set) var finding: String?

  init<F: Framing>(_ framing: F, _ reads: [[UInt8]]) where F.Decoder.Frame == Frame {
    var decoder = framing.makeDecoder()
    var buffer = ReceiveBuffer()
    let most = 64 + 4 * reads.reduce(0) { $0 + $1.count }
    do throws(FramingError) {
      for read in reads {
        buffer.append(contentsOf: read)
        while let frame = try decoder.decode(&buffer), frames.count < most { frames.append(frame) }
      }
      pending = buffer.pending
      let isMidFrame = decoder.isMidFrame(buffer)
      let count = frames.count
      var endsInError = true
      defer {
        let brought = frames.count > count || endsInError
        if isMidFrame ? !brought && decoder.isMidFrame(buffer) : brought {
          finding = "isMidFrame was \(isMidFrame), and finish disagrees"
        }
      }
      while let frame = try decoder.finish(&buffer), frames.count < most { frames.append(frame) }
      endsInError = false
      if !buffer.isEmpty { finding = "left at the end without an error: \(buffer.pending)" }
      if frames.count >= most { finding = "frames without end" }
      if try decoder.decode(&buffer) != nil { finding = "a frame after the end" }
    } catch let thrown {
      error = thrown
      if pending == nil { pending = buffer.pending }
      buffer.append(contentsOf: Array(reads.joined()))
      if Self.call({ () throws(FramingError) in try decoder.decode(&buffer) }) != thrown
        || Self.call({ () throws(FramingError) in try decoder.finish(&buffer) }) != thrown
      {
        finding = "failed with \(thrown), then recovered"
      }
    }
  }

  private static func call(_ body: () throws(FramingError) -> Frame?) -> FramingError? {
    do throws(FramingError) { _ = try body() } catch { return error }
    return nil
  }
}
