/// What became of one message for one of those who might get it.
///
/// Not inside of `Delivery`, whose type parameter it would have: what goes through many of them is compiled for the one
/// type there is.
enum DeliveryOutcome: Sendable {
  /// It is not meant for them.
  case leftOut
  /// It is, and they have not got it yet.
  case pending
  case delivered, dropped, disconnected, ended
}
