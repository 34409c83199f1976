/// Why a text is not the JSON that was wanted.
struct JSONError: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
