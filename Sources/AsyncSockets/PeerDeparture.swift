/// By which sign a peer counts as gone for somebody who does not read.
package enum PeerDeparture: Sendable {
  /// Nothing can be sent to it any more.
  case reset
  /// Or it has ended its stream, and what it had sent has been read.
  case endOfStream
}
