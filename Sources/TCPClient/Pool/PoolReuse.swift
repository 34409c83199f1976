/// When a connection of a pool is lent again after somebody has used it.
///
/// Whatever is chosen, it is lent again only if it stands, in both directions, with no input that nobody has read: no bytes,
/// no frames that a decoder keeps, and no notices; and with no reply to come. And only with the codec, the transport and the
/// limits with which it was lent, and with a codec that has not failed.
public enum PoolReuse: Hashable, Sendable {
  /// When the body has returned, and none of its reads and requests has timed out or was cancelled: what those waited for
  /// may come yet, and would be taken for the answer to whoever asks next.
  case afterSuccess
  /// Also otherwise. The body vouches that nothing will come that it has asked for: it reads what the server says by itself,
  /// with deadlines, or throws errors of its own when the conversation is over.
  case ifAtRest
}
