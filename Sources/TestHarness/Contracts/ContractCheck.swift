/// A check of a verifier: a promise, and where to look when it is not kept.
public protocol ContractCheck: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
  /// What is promised, in one sentence.
  var promise: String { get }
  /// What most likely broke it.
  var advice: String { get }
}

extension Set where Element: ContractCheck {
  /// Every check.
  public static var all: Set<Element> { Set(Element.allCases) }
}
