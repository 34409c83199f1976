/// Finds what somebody meant.
enum Spelling {
  /// The word that is the fewest letters away, if that is a slip of the finger: at most two.
  static func nearest(to word: String, in words: some Sequence<String>) -> String? {
    let ranked = words.map { (distance: distance(from: word, to: $0), word: $0) }.min { $0 < $1 }
    guard let ranked, ranked.distance <= 2 else { return nil }
    return ranked.word
  }

  /// How many letters have to be inserted, removed or replaced (Levenshtein's distance).
  static func distance(from left: String, to right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (line, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = line + 1
      for (column, other) in right.enumerated() {
        let replaced = diagonal + (letter == other ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
      }
    }
    return row[right.count]
  }
}
