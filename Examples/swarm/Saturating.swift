infix operator +| : AdditionPrecedence

extension FixedWidthInteger {
  /// The sum, or the greatest number there is: what a file says must not end the program.
  static func +| (left: Self, right: Self) -> Self {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? (right < 0 ? .min : .max) : sum
  }
}
