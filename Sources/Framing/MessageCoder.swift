/// Makes messages of bytes, and bytes of messages: what stands between frames and a program's own types.
///
/// The module imports no coder. Foundation's is three lines away:
///
/// ```swift
/// import Foundation
///
/// struct JSON<Message: Codable & Sendable>: MessageCoder {
///   func decode(_ bytes: [UInt8]) throws -> Message { try JSONDecoder().decode(Message.self, from: Data(bytes)) }
///   func encode(_ message: Message) throws -> [UInt8] { Array(try JSONEncoder().encode(message)) }
/// }
///
/// let lines = LineFraming().bytes.messages(JSON<Chat>())              // JSON lines
/// let blocks = LengthPrefixFraming(.uint32).messages(JSON<Chat>())    // JSON after its length
/// ```
public protocol MessageCoder<Message>: Sendable {
  /// What the program works with.
  associatedtype Message: Sendable

  /// Makes a message of the bytes of one frame.
  ///
  /// - Throws: Anything; the decoder of frames then fails with ``FramingError/malformed(_:offset:)``.
  func decode(_ bytes: [UInt8]) throws -> Message

  /// Makes the bytes of one frame of a message.
  ///
  /// - Throws: Anything; the encoder of frames then fails with ``FramingError/unencodable(_:)``.
  func encode(_ message: Message) throws -> [UInt8]
}

extension Framing where Decoder.Frame == [UInt8], Encoder.Frame == [UInt8] {
  /// Messages, one in each frame.
  ///
  /// - Parameter coder: What makes messages of bytes, and bytes of messages.
  @inlinable
  public func messages<Coder: MessageCoder>(
    _ coder: Coder
  ) -> MappedFraming<Self, Coder.Message, Coder.Message> {
    map({ try coder.decode($0) }, outbound: { try coder.encode($0) })
  }
}
