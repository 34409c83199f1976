import Glibc

/// What goes wrong.
struct ClientError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The options of `load --mode rate`, those that make no difference here too.
struct ClientOptions: Sendable {
  let port: UInt16
  let connections: Int
  let size: Int
  let seconds: Double
  let warmUp: Double
  /// 0 for as many as the seconds hold.
  let messages: Int
  let message: [UInt8]

  init() throws {
    var values: [String: String] = [:]
    var rest = CommandLine.arguments.dropFirst()
    while let name = rest.popFirst() {
      guard name.hasPrefix("--"), let value = rest.popFirst() else {
        throw ClientError("options are --name value, not '\(name)'")
      }
      values[String(name.dropFirst(2))] = value
    }
    func number<Number: LosslessStringConvertible>(_ name: String, _ usual: Number) throws -> Number {
      guard let text = values[name] else { return usual }
      guard let number = Number(text) else { throw ClientError("--\(name) takes a number, not '\(text)'") }
      return number
    }
    port = try number("port", 0)
    connections = try number("connections", 1)
    size = try number("size", 64)
    seconds = try number("seconds", 5)
    warmUp = try number("warm-up", 1)
    messages = try number("messages", 0)
    message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
  }

  func say(_ text: String) {
    print(text)
    fflush(nil)
  }
}

/// The CPU time of this process so far.
struct Usage {
  let user: Double
  let system: Double
  /// Bytes; the most so far.
  let memory: Int

  static var now: Usage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return Usage(
      user: seconds(usage.ru_utime), system: seconds(usage.ru_stime), memory: usage.ru_maxrss << 10)
  }

  func report(since start: Usage, count: Int, seconds: Double) -> String {
    let (user, system) = (self.user - start.user, self.system - start.system)
    return """
      {"messages": \(count), "seconds": \(seconds), "messages_per_second": \(Double(count) / seconds), \
      "user_us_per_message": \(user * 1e6 / Double(count)), "system_us_per_message": \(system * 1e6 / Double(count)), \
      "resident_bytes": \(memory), "load_busy": \((user + system) / seconds)}
      """
  }
}
