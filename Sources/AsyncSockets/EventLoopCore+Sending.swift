// The memory that output passes through on its way, one for all connections of the loop; for the loop's thread alone,
// but where it says otherwise.
//
// Methods, since ThreadSanitizer takes a change of what is behind a stored reference for a change of the reference,
// which other threads read.

extension EventLoopCore {
  private static let keptMemory = 65_536
  private static let fullMemory = 4096

  /// What a handler's frames are added to.
  func takeSent(fromStart: Bool) -> [UInt8] {
    if fromStart {
      // Emptying an array costs as much as filling it with a line: not every time.
      if local.value.sent.count > Self.fullMemory {
        local.value.sent.removeAll(keepingCapacity: local.value.sent.capacity <= Self.keptMemory)
      }
      local.value.sentStart = local.value.sent.count
    }
    var bytes: [UInt8] = []
    swap(&bytes, &local.value.sent)
    return bytes
  }

  func giveBack(sent bytes: inout [UInt8]) { swap(&bytes, &local.value.sent) }

  /// Answers how many bytes the handler has sent.
  func giveBack(sent bytes: inout [UInt8], of driver: ConnectionDriver) -> Int {
    swap(&bytes, &local.value.sent)
    let count = sentCount
    unsafe local.value.sender = count > 0 ? .passUnretained(driver) : nil
    return count
  }

  var sentCount: Int { local.value.sent.count - local.value.sentStart }

  func forgetSender() { unsafe local.value.sender = nil }

  /// Whether callbacks of handlers may be made from now on; answers whether they might before.
  @discardableResult
  func allowHandlers(_ mayCall: Bool) -> Bool {
    let might = local.value.mayCallHandlers
    local.value.mayCallHandlers = mayCall
    return might
  }

  func setDriver(_ driver: ConnectionDriver?, of target: ConnectionCore, descriptor: Int32) {
    local.value.table.setDriver(driver, of: target, descriptor: descriptor)
  }

  /// Queues bytes, in memory that another queue has given up if there is any.
  func append(_ bytes: UnsafeRawBufferPointer, to output: inout OutputQueue) {
    unsafe output.append(bytes, into: &local.value.spareOutput)
  }

  /// Bytes have left, on any thread.
  func consume(_ count: Int, of output: inout OutputQueue) {
    if isCurrent {
      output.consume(count, leaving: &local.value.spareOutput)
    } else {
      output.consume(count)
    }
  }
}
