/// What a simulation is asked that cannot be.
public enum SimulationError: Error, Hashable, Sendable {
  /// A value that cannot work; the text says which, and what can.
  case invalid(String)
}

extension SimulationError: CustomStringConvertible {
  /// The text of the case.
  public var description: String {
    switch self {
    case .invalid(let text): text
    }
  }
}
