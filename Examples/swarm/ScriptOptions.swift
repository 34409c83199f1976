/// What is to be sent and expected, from the options that say it.
struct ScriptOptions {
  let values: [String: String]

  private var isBytes: Bool { values["--hex"] != nil }

  func script(size: Int?) throws(UsageError) -> Script {
    if size != nil, values["--send"] != nil {
      throw UsageError("--size and --send exclude each other: the text that is sent has its size")
    }
    var message = Script.Message.numbered(size: size ?? 64)
    if let text = values["--send"] {
      let bytes = try bytes("--send", text)
      if isBytes, bytes.isEmpty { throw UsageError("--send needs at least one byte with --hex") }
      message = .text(bytes)
    }
    let expectation = try expectation()
    if isBytes, expectation == .any {
      throw UsageError(
        "--expect any and --hex exclude each other: only lines tell where a reply ends; "
          + "give the bytes that it has, such as --expect \"01 ff\"")
    }
    let end = try values["--until"].map { text throws(UsageError) in try bytes("--until", text) }
    if isBytes, end != nil {
      throw UsageError("--until and --hex exclude each other: only lines have a last one")
    }
    if case .text(let bytes) = message, !isBytes, expectation == .echo, bytes.contains(Script.newline) {
      throw UsageError(
        "--send has several lines, each of which an echo would bring back by itself; "
          + "add --expect and --until, or send them with --hex")
    }
    if isBytes, values["--greeting"] != nil {
      throw UsageError("--greeting and --hex exclude each other: a greeting is a line")
    }
    if let end, end.contains(Script.newline) {
      throw UsageError("--until must be one line, without \\n; the last of the reply")
    }
    if case .text(let bytes) = expectation, !isBytes, bytes.contains(Script.newline) {
      throw UsageError("--expect must be one line, without \\n; add --until for replies of several lines")
    }
    return Script(
      message, expecting: expectation, until: end, isBytes: isBytes, isGreeted: values["--greeting"] != nil)
  }

  private func expectation() throws(UsageError) -> Script.Expectation {
    switch values["--expect"] {
    case nil, "echo": return .echo
    case "any": return .any
    case let text?:
      let bytes = try bytes("--expect", text)
      guard !bytes.isEmpty else {
        throw UsageError("--expect needs a text with which replies begin, \"echo\" or \"any\"")
      }
      return .text(bytes)
    }
  }

  private func bytes(_ option: String, _ text: String) throws(UsageError) -> [UInt8] {
    if isBytes {
      guard let bytes = Escapes.bytes(hex: text) else {
        throw UsageError(
          "\(option) with --hex must be pairs of hexadecimal digits, such as \"01 ff 0a\", "
            + "not \(text.debugDescription)")
      }
      return bytes
    }
    do throws(Escapes.Malformed) {
      return try Escapes.bytes(of: text)
    } catch {
      throw UsageError(
        "\(option): \(error.sequence) is no escape; there are \\n, \\r, \\t, \\\\ and \\xHH")
    }
  }
}
