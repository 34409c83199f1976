import Glibc

/// How many descriptors the process may have open (`RLIMIT_NOFILE`, the soft limit).
package enum DescriptorLimit {
  package static var current: Int {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    return Int(clamping: limit.rlim_cur)
  }
}
