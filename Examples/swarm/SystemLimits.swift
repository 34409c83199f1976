import Glibc

/// What the system allows a process.
enum SystemLimits {
  /// Raises the limit of open descriptors as far as it may be, if so many are needed.
  ///
  /// - Returns: the limit from now on.
  static func raiseDescriptors(to wanted: Int) -> Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
    if Int(clamping: limit.rlim_cur) < wanted {
      limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
      _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// How many ports the system gives to connections that do not ask for one (ip_local_port_range, ip(7)).
  static var ephemeralPorts: Int? {
    guard let text = try? Terminal.contents(of: "/proc/sys/net/ipv4/ip_local_port_range") else { return nil }
    let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    guard numbers.count == 2, numbers[0] <= numbers[1] else { return nil }
    return numbers[1] - numbers[0] + 1
  }
}
