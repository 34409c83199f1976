import AsyncSockets

// How hosts end and begin again.

extension SimulatedNetwork {
  func isRunning(_ process: SimulatedProcess) -> Bool {
    hosts[process.host].isRunning && hosts[process.host].process == process.number
  }

  /// The process that a host runs, or that ended last.
  func process(of host: Int) -> SimulatedProcess {
    SimulatedProcess(host: host, number: hosts[host].process - (hosts[host].isRunning ? 0 : 1))
  }

  /// A host is gone, as when its power fails: nothing leaves it any more, not even an end or a reset.
  ///
  /// - Returns: whether it was there.
  mutating func crash(_ host: Int) -> Bool {
    guard hosts[host].isUp else { return false }
    disturb("\(hosts[host].name) crashes")
    let descriptors = descriptors(of: host)
    hosts[host].crash()
    listeners = listeners.filter { anySocket($0)?.host != host }
    for number in descriptors { tell(number) }
    return true
  }

  /// The process of a host ends, as by SIGKILL: its kernel closes what it had, in order.
  ///
  /// - Returns: whether one ran.
  mutating func kill(_ host: Int) -> Bool {
    guard hosts[host].isRunning else { return false }
    disturb("the process of \(hosts[host].name) is killed")
    let descriptors = descriptors(of: host)
    for number in descriptors {
      if let socket = socket(number) { end(socket, number) }
    }
    hosts[host].endProcess()
    for number in descriptors { tell(number) }
    return true
  }

  /// A host that runs nothing runs a new process. What is repeated comes through again.
  ///
  /// - Returns: the process, if it begins.
  mutating func boot(_ host: Int) -> SimulatedProcess? {
    guard !hosts[host].isRunning else { return nil }
    disturb(hosts[host].isUp ? "\(hosts[host].name) runs again" : "\(hosts[host].name) boots")
    hosts[host].boot()
    for other in hosts.indices { release(Route(from: other, to: host)) }
    return process(of: host)
  }

  /// What its process has open.
  private func descriptors(of host: Int) -> [Int32] {
    sockets.indices.compactMap { index in
      guard let socket = sockets[index], socket.host == host, isAlive(socket) else { return nil }
      return Int32(index)
    }
  }
}
