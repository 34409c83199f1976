extension Listener {
  /// Listens on an address.
  ///
  /// `SO_REUSEADDR` is set, so that a restarted server gets its port back at once; a second live listener on the
  /// same address is refused all the same. Likewise the file of a Unix socket that no process has open any more is
  /// taken over, and one that lives is not. Accepted connections have `TCP_NODELAY` set.
  ///
  /// - Parameters:
  ///   - address: where; port 0 lets the system choose.
  ///   - loop: the loop that watches the listener.
  ///   - backlog: how many connections may wait to be accepted; the system cuts it to its own limit.
  ///   - socketOptions: set before the listener binds; TCP connections that it accepts inherit them.
  /// - Throws: `SocketError.failed` with the errno and the address (`EADDRINUSE`, `EACCES` …);
  ///   `SocketError.invalid` for an address or option that cannot work; `.loopStopped`.
  public static func bind(
    to address: SocketAddress, on loop: EventLoop, backlog: Int = 4096, socketOptions: [SocketOption] = []
  ) throws(SocketError) -> Listener {
    try validate([address], backlog, socketOptions)
    try loop.core.checkIsRunning()
    return try open(address, on: loop, backlog: backlog, socketOptions: socketOptions)
  }

  /// Listens on several addresses, or on none if one of them cannot be had.
  ///
  /// Different addresses with port 0 get one port, which the system chooses: `[.loopback(), .loopback6()]` listens
  /// on the same port of 127.0.0.1 and ::1.
  ///
  /// - Returns: the listeners, in the order of the addresses.
  /// - Throws: as `bind(to:on:backlog:socketOptions:)`.
  public static func bind(
    to addresses: [SocketAddress], on loop: EventLoop, backlog: Int = 4096,
    socketOptions: [SocketOption] = []
  ) throws(SocketError) -> [Listener] {
    guard !addresses.isEmpty else { throw .invalid("there is no address to listen on: give at least one") }
    try validate(addresses, backlog, socketOptions)
    try loop.core.checkIsRunning()
    return try open(addresses) { (listener: Listener) in
      listener.address
    } close: {
      $0.close()
    } open: { address throws(SocketError) in
      try open(address, on: loop, backlog: backlog, socketOptions: socketOptions)
    }
  }

  /// Opens a socket on each address, with one port for those that leave it to the system.
  static func open<Socket>(
    _ addresses: [SocketAddress], bound: (Socket) -> SocketAddress, close: (Socket) -> Void,
    open: (SocketAddress) throws(SocketError) -> Socket
  ) throws(SocketError) -> [Socket] {
    var attempts = 0
    while true {
      attempts += 1
      var ports = SharedPort()
      var sockets: [Socket] = []
      do throws(SocketError) {
        for address in addresses {
          let socket = try open(ports.place(address))
          sockets.append(socket)
          ports.note(bound(socket).port, for: address)
        }
        return sockets
      } catch {
        for socket in sockets { close(socket) }
        // The port that was free for one address is in use for another: try another port.
        guard case .failed(.addressInUse, _, _) = error, ports.isShared, attempts < SharedPort.mostAttempts
        else { throw error }
      }
    }
  }

  private static func validate(
    _ addresses: [SocketAddress], _ backlog: Int, _ options: [SocketOption]
  ) throws(SocketError) {
    for address in addresses { try address.validate() }
    guard backlog > 0 else { throw .invalid("the backlog must be at least 1, not \(backlog)") }
    for option in options { try option.validate() }
  }

  private static func open(
    _ address: SocketAddress, on loop: EventLoop, backlog: Int, socketOptions: [SocketOption]
  ) throws(SocketError) -> Listener {
    let kernel = loop.core.kernel
    let descriptor = Descriptor(
      owning: Int32(try check("socket", address, kernel.socket(family: address.family))),
      of: kernel.descriptors)
    for option in SocketOption.ofListeners(address) + socketOptions {
      try option.apply(to: descriptor.number, kernel: kernel, address: address)
    }
    var result = kernel.bind(descriptor.number, to: address)
    if result == -Int(Errno.addressInUse.rawValue), let path = address.path {
      if let file = kernel.identity(ofFile: path), !file.isSocket {
        throw .invalid("cannot listen on \(address): the file is there already, and is no socket")
      }
      if removeStaleFile(at: path, kernel) { result = kernel.bind(descriptor.number, to: address) }
    }
    _ = try check("bind", address, result)
    var unlinkPath = address.path
    defer { if let unlinkPath { kernel.unlink(unlinkPath) } }
    let backlog = Int32(clamping: backlog)
    _ = try check("listen", address, kernel.listen(descriptor.number, backlog: backlog))
    guard let bound = kernel.localAddress(descriptor.number) else {
      throw .failed(.badDescriptor, call: "getsockname", address: address)
    }
    unlinkPath = nil
    let core = ListenerCore(descriptor: descriptor, address: bound, isOwn: true, loop: loop.core)
    loop.core.perform(.register(core))
    return Listener(core: core, address: bound, inheritedOptions: address.isUnix ? [] : socketOptions)
  }

  /// Removes the file of a Unix socket that no process has open any more.
  private static func removeStaleFile(at path: String, _ kernel: any Kernel) -> Bool {
    guard let file = kernel.identity(ofFile: path), file.isSocket,
      kernel.probe(unixPath: path) == -Int(Errno.connectionRefused.rawValue),
      // Somebody else may have taken it over meanwhile.
      kernel.identity(ofFile: path) == file
    else { return false }
    kernel.unlink(path)
    return true
  }

  private static func check(
    _ call: String, _ address: SocketAddress, _ result: Int
  ) throws(SocketError) -> Int {
    guard result < 0 else { return result }
    throw .failed(Errno(Int32(-result)), call: call, address: address)
  }
}

/// The one port of several addresses for which the system is to choose.
private struct SharedPort {
  /// A port that is free for one address is nearly always free for the other.
  static let mostAttempts = 16

  private var port: UInt16?
  private var placed: Set<SocketAddress> = []
  /// Whether an address was to have the port that another got.
  private(set) var isShared = false

  /// The address with the port that the others got, unless the same address has it already.
  mutating func place(_ address: SocketAddress) -> SocketAddress {
    guard address.port == 0, let port, !placed.contains(address) else { return address }
    isShared = true
    return address.withPort(port)
  }

  mutating func note(_ bound: UInt16?, for address: SocketAddress) {
    guard address.port == 0 else { return }
    placed.insert(address)
    if port == nil { port = bound }
  }
}
