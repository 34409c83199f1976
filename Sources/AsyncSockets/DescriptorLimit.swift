import Glibc

/// How many descriptors the process may have open (`RLIMIT_NOFILE`, the soft limit).
package enum DescriptorLimit {
  package static var current: Int {
    values.map { Int(clamping: $0.rlim_cur) } ?? 1024
  }

  /// Raises the soft limit to `wanted`, or as far as the hard one allows; never lowers it.
  ///
  /// - Returns: the limit from now on.
  package static func raise(to wanted: Int) -> Int {
    guard var limit = values, Int(clamping: limit.rlim_cur) < wanted else { return current }
    limit.rlim_cur = min(rlim_t(wanted), limit.rlim_max)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return current
  }

  private static var values: rlimit? {
    var limit = rlimit()
    return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
  }
}
