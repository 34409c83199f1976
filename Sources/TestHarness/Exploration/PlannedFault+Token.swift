// A fault as a part of a token: kind:host[:host][=value]@begin[+length], with times in seconds.

extension PlannedFault {
  private static let kinds = [
    "crash", "kill", "cut", "block", "reset", "slow", "unresolved", "descriptors", "clock",
  ]

  var token: String {
    let names = effect.names.map { ":" + Self.escaped($0) }.joined()
    var token: String
    switch effect {
    case .crash: token = "crash\(names)"
    case .kill: token = "kill\(names)"
    case .cut: token = "cut\(names)"
    case .block: token = "block\(names)"
    case .reset: token = "reset\(names)"
    case .slow(_, _, let conditions):
      let bandwidth = conditions.bandwidth.map { "\($0)" } ?? ""
      let times = "\(conditions.latency.tokenText)/\(conditions.jitter.tokenText)"
      token = "slow\(names)=\(times)/\(bandwidth)/\(conditions.loss)"
    case .unresolved: token = "unresolved\(names)"
    case .descriptors(_, let limit): token = "descriptors\(names)=\(limit)"
    case .clock(_, let step): token = "clock\(names)=\(step.tokenText)"
    }
    token += "@\(begin.tokenText)"
    if effect.takesTime { token += "+\(length.tokenText)" }
    return token
  }

  /// - Throws: what is wrong with it, in words.
  init(token: Substring) throws(SimulationError) {
    let halves = token.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2 else { throw .invalid("it says no time: it should end like @12.5+3") }
    let times = halves[1].split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
    guard let begin = Duration(tokenText: times[0]), begin >= .zero else {
      throw .invalid("\(String(times[0]).debugDescription) is no time in seconds")
    }
    let what = halves[0].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let words = what[0].split(separator: ":", omittingEmptySubsequences: false)
    let kind = String(words[0])
    guard Self.kinds.contains(kind) else {
      throw .invalid(
        "there is no fault \(kind.debugDescription), only \(Self.kinds.joined(separator: ", "))")
    }
    let count = ["cut", "block", "reset", "slow"].contains(kind) ? 2 : 1
    let names = words.dropFirst().compactMap(Self.unescaped)
    guard names.count == count, words.count == count + 1 else {
      throw .invalid("\(kind) needs \(count.of("name"))")
    }
    let value = what.count == 2 ? what[1] : ""
    let effect = try Self.effect(kind, names, value)
    try effect.validate()
    var length = Duration.zero
    if effect.takesTime {
      guard times.count == 2, let given = Duration(tokenText: times[1]), given >= .zero else {
        throw .invalid("\(kind) needs a length in seconds: it should end like +3.2")
      }
      length = given
    } else if times.count == 2 {
      throw .invalid("\(kind) takes no time, and so has no length")
    }
    self.init(effect, begin: begin, length: length)
  }

  private static func effect(
    _ kind: String, _ names: [String], _ value: Substring
  ) throws(SimulationError) -> Effect {
    switch kind {
    case "slow":
      let values = value.split(separator: "/", omittingEmptySubsequences: false)
      guard values.count == 4, let latency = Duration(tokenText: values[0]),
        let jitter = Duration(tokenText: values[1]), let loss = Double(values[3]),
        values[2].isEmpty || Int(values[2]) != nil
      else { throw .invalid("slow needs =latency/jitter/bandwidth/loss, such as =0.5/0.1//0.25") }
      let conditions = LinkConditions(
        latency: latency, jitter: jitter, bandwidth: Int(values[2]), loss: loss)
      return .slow(names[0], names[1], conditions)
    case "descriptors":
      guard let limit = Int(value) else { throw .invalid("descriptors needs their number, such as =8") }
      return .descriptors(names[0], limit: limit)
    case "clock":
      guard let step = Duration(tokenText: value) else {
        throw .invalid("clock needs seconds, such as =-20")
      }
      return .clock(names[0], by: step)
    default:
      if !value.isEmpty {
        throw .invalid("\(kind) has no value, but is given \(String(value).debugDescription)")
      }
    }
    switch kind {
    case "crash": return .crash(names[0])
    case "kill": return .kill(names[0])
    case "cut": return .cut(names[0], names[1])
    case "block": return .block(from: names[0], to: names[1])
    case "reset": return .reset(names[0], names[1])
    default: return .unresolved(names[0])
    }
  }

  // MARK: Names

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func escaped(_ name: String) -> String {
    name.utf8.map { byte in
      if isPlain(byte) { return String(Unicode.Scalar(byte)) }
      return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }

  private static func unescaped(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let escaped = UInt8(Substring(rest.prefix(2)), radix: 16) else { return nil }
      bytes.append(escaped)
      rest = rest.dropFirst(2)
    }
    return bytes.isEmpty ? nil : String(validating: bytes, as: UTF8.self)
  }
}

extension Duration {
  /// Seconds with as many digits as it takes, nine at most: `12.345`.
  fileprivate var tokenText: String {
    let sign = self < .zero ? "-" : ""
    let (seconds, attoseconds) = (self < .zero ? .zero - self : self).components
    guard attoseconds >= 1_000_000_000 else { return "\(sign)\(seconds)" }
    let digits = String(attoseconds / 1_000_000_000)
    var fraction = String(repeating: "0", count: 9 - digits.count) + digits
    while fraction.last == "0" { fraction.removeLast() }
    return "\(sign)\(seconds).\(fraction)"
  }

  fileprivate init?(tokenText text: Substring) {
    let isNegative = text.first == "-"
    let parts = (isNegative ? text.dropFirst() : text)
      .split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = UInt64(parts[0]), whole <= PlannedFault.latest.components.seconds else { return nil }
    var nanoseconds: UInt64 = 0
    if parts.count == 2 {
      let digits = parts[1]
      guard (1...9).contains(digits.utf8.count), let value = UInt64(digits) else { return nil }
      nanoseconds = (digits.utf8.count..<9).reduce(value) { value, _ in value * 10 }
    }
    let duration = Duration.seconds(Int64(whole)) + .nanoseconds(Int64(nanoseconds))
    self = isNegative ? .zero - duration : duration
  }
}
