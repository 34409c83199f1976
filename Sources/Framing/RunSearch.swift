/// Finds runs of bytes that belong to a set, and looks at each byte once however they are cut into reads.
struct RunSearch: Sendable {
  private let isMember: [Bool]
  private let minimum: Int
  /// Whether a run is reported only once it has ended, and not as soon as it is long enough.
  private let waitsForEnd: Bool

  /// How many bytes at the end of those searched are a run that has not been reported.
  private(set) var matched = 0
  /// Whether the last run was reported while it was the last that had come.
  private var goesOn = false

  init(of bytes: [UInt8], atLeast minimum: Int, waitsForEnd: Bool) {
    var isMember = [Bool](repeating: false, count: 256)
    for byte in bytes { isMember[Int(byte)] = true }
    self.isMember = isMember
    self.minimum = minimum
    self.waitsForEnd = waitsForEnd
  }

  /// Goes on where the last search of this buffer stopped, and drops what is left of a run that was reported.
  mutating func next(in buffer: inout ReceiveBuffer, isLast: Bool) -> Range<Int>? {
    if goesOn { dropRest(of: &buffer) }
    var index = buffer.searched
    // Somebody else has consumed bytes, or this is another buffer.
    if index < matched { matched = 0 }
    while index < buffer.count {
      if isMember[Int(buffer[index])] {
        matched += 1
        index += 1
        if waitsForEnd || matched < minimum { continue }
        while index < buffer.count, isMember[Int(buffer[index])] {
          matched += 1
          index += 1
        }
        goesOn = index == buffer.count
        return report(endingAt: index)
      }
      if matched >= minimum { return report(endingAt: index) }
      matched = 0
      index += 1
    }
    if isLast, matched >= minimum { return report(endingAt: index) }
    buffer.searched = index
    return nil
  }

  /// Counts a run that goes on as ended, and drops what comes of it later.
  ///
  /// - Returns: Where it ends; `nil` if it is not long enough to be one.
  mutating func giveUp(in buffer: borrowing ReceiveBuffer) -> Int? {
    guard matched >= minimum else { return nil }
    goesOn = true
    return report(endingAt: buffer.searched).upperBound
  }

  private mutating func report(endingAt end: Int) -> Range<Int> {
    defer { matched = 0 }
    return (end - matched)..<end
  }

  private mutating func dropRest(of buffer: inout ReceiveBuffer) {
    var count = 0
    while count < buffer.count, isMember[Int(buffer[count])] { count += 1 }
    goesOn = count == buffer.count
    if count > 0 { buffer.discard(count) }
  }
}
