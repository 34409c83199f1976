import Glibc
import ServerArguments

/// What goes wrong.
package struct ClientError: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// The options of `load`, those that make no difference here too.
package struct ClientOptions: Sendable {
  package enum Mode: String, Sendable { case chunk, rate, hold }

  package let mode: Mode
  /// Of a library that has several; the word after `--with`.
  package let interface: String?
  package let port: UInt16
  package let connections: Int
  package let size: Int
  package let seconds: Double
  package let warmUp: Double
  /// 0 for as many as the seconds hold.
  package let messages: Int
  package let message: [UInt8]

  package init() throws {
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
    func choice<Choice: RawRepresentable<String>>(_ name: String, _ usual: Choice) throws -> Choice {
      guard let text = values[name] else { return usual }
      guard let choice = Choice(rawValue: text) else {
        throw ClientError("--\(name) does not take '\(text)'")
      }
      return choice
    }
    mode = try choice("mode", .rate)
    interface = values["with"]
    port = try number("port", 0)
    connections = try number("connections", 1)
    size = try number("size", 64)
    seconds = try number("seconds", 5)
    warmUp = try number("warm-up", 1)
    messages = try number("messages", 0)
    raiseDescriptorLimit()
    message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
  }

  package func say(_ text: String) {
    print(text)
    fflush(nil)
  }
}

/// The CPU time of this process so far.
package struct Usage {
  package let user: Double
  package let system: Double
  /// Bytes; the most so far.
  package let memory: Int

  package static var now: Usage {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return Usage(
      user: seconds(usage.ru_utime), system: seconds(usage.ru_stime), memory: usage.ru_maxrss << 10)
  }

  package func report(since start: Usage, count: Int, seconds: Double) -> String {
    let (user, system) = (self.user - start.user, self.system - start.system)
    return """
      {"messages": \(count), "seconds": \(seconds), "messages_per_second": \(Double(count) / seconds), \
      "user_us_per_message": \(user * 1e6 / Double(count)), "system_us_per_message": \(system * 1e6 / Double(count)), \
      "resident_bytes": \(memory), "load_busy": \((user + system) / seconds)}
      """
  }
}
