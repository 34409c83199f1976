/// First in, first out, with a way to the front for who comes back. Pure.
struct Fifo<Element> {
  private var elements: ContiguousArray<Element?> = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { head == elements.count }
  var first: Element? { isEmpty ? nil : elements[head] }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func prepend(_ element: Element) {
    if head > 0 {
      head -= 1
      elements[head] = element
    } else {
      elements.insert(element, at: 0)
    }
  }

  mutating func popFirst() -> Element? {
    guard head < elements.count else { return nil }
    let element = elements[head].take()
    head += 1
    // Half of the room or more is spent: so each element is moved once on average.
    if head == elements.count {
      elements.removeAll(keepingCapacity: head <= 1024)
      head = 0
    } else if head > 1024, head * 2 > elements.count {
      elements.removeSubrange(..<head)
      head = 0
    }
    return element
  }

  /// Removes those, and answers them.
  @discardableResult
  mutating func removeAll(where isLeaving: (Element) -> Bool) -> [Element] {
    var leaving: [Element] = []
    var staying: ContiguousArray<Element?> = []
    for case let element? in elements[head...] {
      if isLeaving(element) { leaving.append(element) } else { staying.append(element) }
    }
    (elements, head) = (staying, 0)
    return leaving
  }

  mutating func removeAll() -> [Element] {
    defer { self = Fifo() }
    return elements[head...].compactMap(\.self)
  }
}
