/// The rows of a table, two spaces from the margin and from cell to cell. The first row is the headings; all have as
/// many cells.
package func textTable(_ rows: [[String]]) -> [String] {
  var lines = rows.map { _ in " " }
  for column in rows[0].indices {
    let width = lines.map(\.count).max() ?? 0
    for (index, row) in rows.enumerated() {
      lines[index] +=
        String(repeating: " ", count: width - lines[index].count + (column == 0 ? 1 : 2)) + row[column]
    }
  }
  return lines
}
