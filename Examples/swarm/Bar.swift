/// A horizontal bar of block characters, to an eighth of a column.
enum Bar {
  private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

  /// - Parameters:
  ///   - share: how much of the width is filled, from 0 to 1.
  ///   - width: in columns.
  ///   - isTrack: whether the rest is shown, so that the text is always so wide.
  static func text(share: Double, width: Int, isTrack: Bool = false) -> String {
    let filled = Int((min(1, max(0, share)) * Double(width * 8)).rounded())
    let bar = String(repeating: "█", count: filled / 8) + eighths[filled % 8]
    return isTrack ? bar + String(repeating: "░", count: width - bar.count) : bar
  }
}
