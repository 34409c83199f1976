/// Several targets, and whose turn it is. Pure.
struct TargetRotation {
  private(set) var targets: [TCPClient.Target]
  private var index = 0

  init(_ targets: [TCPClient.Target]) { self.targets = targets }

  /// `nil` if there is none.
  var current: TCPClient.Target? { targets.isEmpty ? nil : targets[index] }

  mutating func advance() { index = targets.isEmpty ? 0 : (index + 1) % targets.count }

  func validate() throws(SocketError) {
    if targets.isEmpty { throw .invalid("a client needs at least 1 target, not 0") }
    for target in targets { try target.validate() }
  }
}
