/// Who is at the other end of a Unix socket, as the kernel saw it when the connection was made (`SO_PEERCRED` of
/// unix(7)): it cannot be forged, but the process may have changed or ended since.
public struct PeerCredentials: Hashable, Sendable {
  /// The process.
  public let processID: Int32
  /// The user on whose behalf it ran.
  public let userID: UInt32
  /// The group on whose behalf it ran.
  public let groupID: UInt32
}
