import AsyncSockets

/// An operation in a task of its own, and what came of it.
final class Attempt<Value: Sendable>: Sendable {
  private let result = Lock<Result<Value, any Error>?>(nil)

  var isDone: Bool { result.withLock { $0 != nil } }

  func run(_ operation: () async throws -> Value) async {
    do {
      let value = try await operation()
      result.withLock { $0 = .success(value) }
    } catch {
      result.withLock { $0 = .failure(error) }
    }
  }

  /// Once the task is over.
  func outcome() throws -> Result<Value, any Error> {
    guard let result = result.withLock({ $0 }) else { throw CancellationError() }
    return result
  }
}
