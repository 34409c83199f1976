/// A fault that a ``FaultProxy`` has, and how to be rid of it.
public struct ActiveFault: Sendable {
  /// What goes wrong.
  public let fault: Fault

  let id: Int
  let proxy: FaultProxy

  /// Takes the fault off every connection. What it holds back is passed on at once, in order; what it has done stays
  /// done. Repeated calls do no harm.
  public func remove() { proxy.remove(id) }
}
