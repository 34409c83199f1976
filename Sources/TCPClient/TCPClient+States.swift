extension TCPClient {
  /// What the client is doing, now and from now on; ends after `State.ended`.
  ///
  /// Any number of tasks may listen. Each gets the state at the time when it asked for the sequence, and then every change
  /// in order, as long as it is at most 16 changes behind: one that falls further behind goes on with the latest. So nobody
  /// is waited for, and no listener costs memory.
  public var states: States { States(board: board, environment: environment) }

  /// What the client is doing now.
  public var currentState: State { board.latest }

  /// The changes of a client's state.
  public struct States: AsyncSequence, Sendable {
    /// One state after the other.
    public typealias Element = State

    let board: StateBoard
    let environment: Environment
    private let beginning: StateBoard.Position

    init(board: StateBoard, environment: Environment) {
      self.board = board
      self.environment = environment
      beginning = board.now
    }

    /// An iterator; each gets all changes.
    public func makeAsyncIterator() -> Iterator {
      Iterator(board: board, environment: environment, position: beginning)
    }

    /// Waits for one change at a time.
    public struct Iterator: AsyncIteratorProtocol {
      let board: StateBoard
      let environment: Environment
      var position: StateBoard.Position

      /// The next state; `nil` after `State.ended`, and when the task is cancelled.
      public mutating func next(
        isolation actor: (any Actor)? = #isolation
      ) async throws(Never) -> State? {
        guard let loop = try? environment.loops.loops[0] else { return nil }
        return await board.next(after: &position, on: loop)
      }
    }
  }
}
