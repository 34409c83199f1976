import AsyncSockets

/// The system calls of every host of a simulation, made into its network.
///
/// It answers every one of them itself: what it inherited would take its numbers for descriptors of this process.
final class SimulatedKernel: Kernel {
  let network: SharedNetwork
  let descriptors: DescriptorTable?
  private let poller: SimulatedPoller
  let witness: AbandonmentWitness

  init(network: SharedNetwork, poller: SimulatedPoller) {
    self.network = network
    self.poller = poller
    let witness = AbandonmentWitness()
    self.witness = witness
    descriptors = DescriptorTable { number in
      let isDropped = witness.hasSeenOne()
      network.withLock { $0.close(number, isDropped: isDropped) }
    }
  }

  func makePoller() throws(SocketError) -> any Poller { poller }

  func socket(family: Int32) -> Int {
    let process = SimulatedProcess.current
    return network.withLock { $0.open(SimulatedSocket(process, family: family)) }
  }

  func opener() -> @Sendable (_ family: Int32) -> Int {
    let process = SimulatedProcess.current
    return { [network] family in network.withLock { $0.open(SimulatedSocket(process, family: family)) } }
  }

  func descriptorLimit(wanted: Int) -> Int? { nil }

  var ephemeralPorts: ClosedRange<UInt16>? { SimulatedHostState.ephemeralPorts }

  func bind(_ descriptor: Int32, to address: SocketAddress) -> Int {
    network.withLock { $0.bind(descriptor, to: address) }
  }

  func listen(_ descriptor: Int32, backlog: Int32) -> Int {
    network.withLock { $0.listen(descriptor, backlog: Int(backlog)) }
  }

  func accept(_ descriptor: Int32, peer: inout SocketAddress?) -> Int {
    let answer = network.withLock { $0.accept(descriptor) }
    peer = answer.peer
    return answer.result
  }

  func connect(_ descriptor: Int32, to address: SocketAddress) -> Int {
    network.withLock { $0.connect(descriptor, to: address) }
  }

  func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    network.withLock { $0.receive(descriptor, atMost: buffer.count) { unsafe buffer.copyBytes(from: $0) } }
  }

  func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    network.withLock { $0.send(descriptor, count: bytes.count) { unsafe [UInt8](bytes.prefix($0)) } }
  }

  func send(_ descriptor: Int32, gathering parts: [UnsafeRawBufferPointer]) -> Int {
    let bytes = unsafe parts.flatMap { unsafe [UInt8]($0) }
    return network.withLock { $0.send(descriptor, count: bytes.count) { Array(bytes.prefix($0)) } }
  }

  /// The close that follows is all it takes.
  func shutdownListening(_ descriptor: Int32) -> Int { 0 }

  func shutdownWrite(_ descriptor: Int32) -> Int {
    network.withLock { $0.shutdownWrite(descriptor) }
  }

  func setOption(_ descriptor: Int32, level: Int32, name: Int32, value: Int32) -> Int {
    network.withLock { $0.setOption(descriptor, .init(level: level, name: name), value) }
  }

  func getOption(
    _ descriptor: Int32, level: Int32, name: Int32, into buffer: UnsafeMutableRawBufferPointer
  ) -> Int {
    let value = network.withLock { $0.socket(descriptor)?.options[.init(level: level, name: name)] }
    guard let value, buffer.count >= MemoryLayout<Int32>.size else {
      return SimulatedNetwork.failure(.noSuchOption)
    }
    unsafe buffer.storeBytes(of: value, as: Int32.self)
    return MemoryLayout<Int32>.size
  }

  func pendingError(_ descriptor: Int32) -> Int { network.withLock { $0.pendingError(descriptor) } }

  func setResetOnClose(_ descriptor: Int32) -> Int { network.withLock { $0.setResetOnClose(descriptor) } }

  func localAddress(_ descriptor: Int32) -> SocketAddress? {
    network.withLock { $0.socket(descriptor)?.local }
  }

  func peerAddress(_ descriptor: Int32) -> SocketAddress? {
    network.withLock { network in network.stream(of: descriptor).map { network.streams[$0].remote } }
  }

  func isOpen(_ descriptor: Int32) -> Bool { network.withLock { $0.socket(descriptor) != nil } }

  func setNonblocking(_ descriptor: Int32) -> Int { 0 }

  func unreadBytes(_ descriptor: Int32) -> Int {
    network.withLock { network in network.stream(of: descriptor).map { network.streams[$0].unread } ?? 0 }
  }

  func identity(ofFile path: String) -> FileIdentity? {
    let process = SimulatedProcess.current
    let inode = network.withLock { $0.isRunning(process) ? $0.hosts[process.host].files[path] : nil }
    return inode.map { FileIdentity(device: UInt(process.host), inode: $0, isSocket: true) }
  }

  func unlink(_ path: String) {
    let process = SimulatedProcess.current
    network.withLock { if $0.isRunning(process) { $0.hosts[process.host].files[path] = nil } }
  }

  func probe(unixPath path: String) -> Int {
    let process = SimulatedProcess.current
    return network.withLock { network in
      guard network.isRunning(process) else { return SimulatedNetwork.failure(.networkDown) }
      return network.probe(unixPath: path, on: process.host)
    }
  }
}
