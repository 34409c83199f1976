extension ReceiveBuffer {
  /// Appends some of the bytes, counted from the front, to an array.
  func copy(_ range: Range<Int>, to output: inout [UInt8]) {
    looked(at: range.count)
    output.append(contentsOf: storage[(head + range.lowerBound)..<(head + range.upperBound)])
  }
}
