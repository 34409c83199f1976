/// Who is behind each watched descriptor, keyed by its number and a generation.
///
/// A number is reused as soon as it is closed, and an event of the old connection may still be on its way: the
/// generation tells it from one of the new.
struct RegistrationTable {
  @safe
  private struct Slot {
    var generation: UInt32 = 0
    var target: (any Pollable)?
    /// What runs the target, if it is a connection without a task; for as long as it says.
    var driver: Unmanaged<ConnectionDriver>?
  }

  private var slots: ContiguousArray<Slot> = []
  private var generation: UInt32 = 0
  private(set) var count = 0

  /// Makes room for a descriptor and answers the key under which its events will come.
  mutating func insert(_ target: any Pollable, descriptor: Int32) -> UInt64 {
    let index = Int(descriptor)
    while slots.count <= index {
      slots.append(Slot())
    }
    if slots[index].target == nil { count += 1 }
    generation &+= 1
    slots[index] = unsafe Slot(generation: generation, target: target)
    return UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
  }

  /// Has `other` hear of a descriptor from now on, under the same key; `false` if it was not `target` who did.
  mutating func replace(_ target: any Pollable, by other: any Pollable, descriptor: Int32) -> Bool {
    let index = Int(descriptor)
    guard slots.indices.contains(index), slots[index].target === target else { return false }
    slots[index].target = other
    return true
  }

  /// Forgets a target, unless its number belongs to another by now.
  mutating func remove(_ target: any Pollable, descriptor: Int32) {
    let index = Int(descriptor)
    guard slots.indices.contains(index), slots[index].target === target else { return }
    slots[index].target = nil
    unsafe slots[index].driver = nil
    count -= 1
  }

  func target(forKey key: UInt64) -> (any Pollable)? {
    let index = Int(UInt32(truncatingIfNeeded: key))
    guard index < slots.count, slots[index].generation == UInt32(key >> 32) else { return nil }
    return slots[index].target
  }

  /// What runs the connection whose events come under this key, if it wants to be told of them in its place.
  @inline(__always)
  func driver(forKey key: UInt64) -> Unmanaged<ConnectionDriver>? {
    let index = Int(UInt32(truncatingIfNeeded: key))
    guard index < slots.count, slots[index].generation == UInt32(key >> 32) else { return nil }
    return unsafe slots[index].driver
  }

  /// Has a driver told of the target's events, or nobody but the target.
  mutating func setDriver(_ driver: ConnectionDriver?, of target: any Pollable, descriptor: Int32) {
    let index = Int(descriptor)
    guard slots.indices.contains(index), slots[index].target === target else { return }
    unsafe slots[index].driver = driver.map { unsafe .passUnretained($0) }
  }

  /// In the order of their descriptors.
  var targets: [any Pollable] { slots.compactMap(\.target) }

  mutating func removeAll() -> [any Pollable] {
    defer { slots = []; count = 0 }
    return targets
  }
}
