/// Descriptors that are not the system's, and what closes them.
package final class DescriptorTable: Sendable {
  let close: @Sendable (Int32) -> Void

  package init(close: @escaping @Sendable (Int32) -> Void) { self.close = close }
}
