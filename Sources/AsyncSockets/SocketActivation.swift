import Glibc
import Synchronization

/// The listening sockets that the service manager has opened for this process: `LISTEN_FDS`, sd_listen_fds(3).
///
/// ```swift
/// let sockets = try SocketActivation.listeners(on: loop)
/// let listeners = sockets.isEmpty ? try Listener.bind(to: [.any(port: 80)], on: loop) : sockets.map(\.listener)
/// ```
public enum SocketActivation {
  /// A socket that was handed over.
  public struct Socket: Sendable {
    /// Its name, `FileDescriptorName=` of systemd.socket(5); `unknown` without.
    public let name: String
    /// The listener that has taken it over.
    public let listener: Listener
  }

  struct Variables {
    var processID: String?
    var count: String?
    var names: String?
  }

  /// SD_LISTEN_FDS_START.
  static let firstDescriptor: Int32 = 3
  private static let isTaken = Atomic<Bool>(false)

  /// Takes over the sockets that were handed to this process; none when it was not started that way.
  ///
  /// - Parameter loop: the loop that watches the listeners.
  /// - Throws: `SocketError.invalid` when the variables make no sense, when a descriptor is no listening socket, or the
  ///   second time, since they have an owner then.
  public static func listeners(on loop: EventLoop) throws(SocketError) -> [Socket] {
    try listeners(on: loop, first: firstDescriptor)
  }

  static func listeners(on loop: EventLoop, first: Int32) throws(SocketError) -> [Socket] {
    let passed = try descriptors(
      Variables(
        processID: variable("LISTEN_PID"), count: variable("LISTEN_FDS"), names: variable("LISTEN_FDNAMES")),
      ofProcess: getpid(), first: first)
    if passed.isEmpty { return [] }
    if isTaken.exchange(true, ordering: .relaxed) {
      throw .invalid("the sockets of LISTEN_FDS have been taken over already")
    }
    do throws(SocketError) {
      return try adopt(passed, on: loop)
    } catch {
      isTaken.store(false, ordering: .relaxed)
      throw error
    }
  }

  static func adopt(
    _ passed: [(name: String, descriptor: Int32)], on loop: EventLoop
  ) throws(SocketError) -> [Socket] {
    try loop.core.checkIsRunning()
    // All are looked at before the first changes hands.
    for socket in passed {
      do throws(SocketError) {
        _ = try loop.core.kernel.prepareAdoption(of: socket.descriptor, as: .listening)
      } catch {
        throw .invalid("LISTEN_FDS, \(socket.name.debugDescription): \(error)")
      }
    }
    var sockets: [Socket] = []
    for socket in passed {
      sockets.append(Socket(name: socket.name, listener: try Listener.adopt(socket.descriptor, on: loop)))
    }
    return sockets
  }

  /// Names and numbers of what was handed over; nothing when the variables are another process's.
  static func descriptors(
    _ variables: Variables, ofProcess process: Int32, first: Int32
  ) throws(SocketError) -> [(name: String, descriptor: Int32)] {
    guard let owner = variables.processID, let text = variables.count else { return [] }
    guard let owner = Int32(owner), owner > 0 else {
      throw .invalid("LISTEN_PID is \(owner.debugDescription), which is no process")
    }
    guard owner == process else { return [] }
    guard let count = Int32(text), (0...Int32(clamping: DescriptorLimit.current)).contains(count) else {
      throw .invalid("LISTEN_FDS is \(text.debugDescription), which is no number of descriptors")
    }
    guard let list = variables.names, count > 0 else {
      return (0..<count).map { ("unknown", first + $0) }
    }
    let names = list.split(separator: ":", omittingEmptySubsequences: false)
    guard names.count == Int(count) else {
      throw .invalid("LISTEN_FDNAMES has \(names.count) names for the \(count) descriptors of LISTEN_FDS")
    }
    return names.enumerated().map { index, name in (String(name), first + Int32(index)) }
  }

  private static func variable(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
