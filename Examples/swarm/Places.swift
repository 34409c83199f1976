import MultiClient

/// Whether the system has room for a run. Pure.
struct Places {
  /// How many descriptors the process may have.
  let descriptors: Int
  /// How many connections one local address can have to one destination; `nil` when nobody knows.
  let ports: Int?

  /// Those of the program itself, and what the client leaves to others.
  private static let overhead = 160

  /// How many descriptors a run needs: the echo server's ends are here as well.
  static func descriptors(for options: Options) -> Int {
    options.connections * (options.target == nil ? 2 : 1) + overhead
  }

  /// - Throws: what is too much, and what to do.
  func check(_ options: Options) throws(UsageError) {
    let needed = Self.descriptors(for: options)
    if needed > descriptors {
      let each = options.target == nil ? 2 : 1
      let most = max(0, (descriptors - Self.overhead) / each)
      throw UsageError(
        "--connections \(options.connections): \(each == 2 ? "with both ends in this process, " : "")"
          + "they need \(needed.grouped) descriptors, and the process may have \(descriptors.grouped); "
          + "use --connections \(most), or raise the limit (as root: ulimit -Hn \(needed))")
    }
    guard let ports, case .address(let address)? = options.target, address.port != nil else { return }
    // Of 127/8 there are as many addresses to connect from as it takes.
    let isLoopback = address.ipBytes?.count == 4 && address.ipBytes?.first == 127
    if !isLoopback, options.connections > ports {
      throw UsageError(
        "--connections \(options.connections): \(address) can have \(ports.grouped) connections from one "
          + "address, for each takes a local port; use --connections \(ports), widen the range "
          + "(sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"), or --merge runs of several machines")
    }
  }
}
