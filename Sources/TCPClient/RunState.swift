/// What a run shares with those who look at it and steer it. Pure, but for the latch that it keeps.
struct RunState {
  private(set) var rotation: TargetRotation
  private var isRunning = false
  private var attempts = 0
  /// The attempt whose connection stands.
  private var standing: TCPClient.Attempt?
  /// Whether everybody has been told that it stands.
  private var isAnnounced = false
  private var isHealthy = false
  /// Opened when everybody has been told that it is.
  private var announcement: Latch?
  /// Whether the targets have changed since the attempt began.
  private(set) var isRetargeted = false
  private var interruption: Latch?

  init(targets: [TCPClient.Target]) { rotation = TargetRotation(targets) }

  // MARK: For the run

  mutating func beginRun() throws(SocketError) {
    if isRunning { throw .invalid("the client is running already; make another one for another connection") }
    isRunning = true
    attempts = 0
    isRetargeted = false
  }

  mutating func endRun() {
    isRunning = false
    interruption = nil
  }

  /// The next attempt, and whether it is the first to new targets; `nil` if there is none.
  mutating func beginAttempt() -> (attempt: TCPClient.Attempt, isFirst: Bool)? {
    defer { isRetargeted = false }
    attempts += 1
    return rotation.current.map { (TCPClient.Attempt(number: attempts, target: $0), isRetargeted) }
  }

  /// The target has not proved healthy: the next one's turn, unless all are new.
  mutating func turnToNext() {
    if !isRetargeted { rotation.advance() }
  }

  /// Has `latch` opened by the next change of the targets; `true` if there was one already.
  mutating func watch(_ latch: Latch) -> Bool {
    interruption = latch
    return isRetargeted
  }

  mutating func connected(_ attempt: TCPClient.Attempt) {
    standing = attempt
    (isAnnounced, isHealthy, announcement) = (false, false, nil)
  }

  /// Everybody has been told that the connection stands; answers whether it has been marked as healthy meanwhile.
  mutating func announced() -> Bool {
    isAnnounced = true
    return isHealthy
  }

  /// The connection has ended; answers whether it was healthy, and what opens when everybody has been told so.
  mutating func disconnected() -> (wasHealthy: Bool, announcement: Latch?) {
    standing = nil
    defer { (isHealthy, announcement) = (false, nil) }
    return (isHealthy, announcement)
  }

  // MARK: For others

  /// The attempt whose connection is healthy from now on, and what to open when everybody has been told so; `nil` if it
  /// was already, if there is none, or if others will tell.
  mutating func markHealthy() -> (attempt: TCPClient.Attempt, announcement: Latch)? {
    guard let standing, !isHealthy else { return nil }
    isHealthy = true
    guard isAnnounced else { return nil }
    let announcement = Latch()
    self.announcement = announcement
    return (standing, announcement)
  }

  /// Whom to wake.
  mutating func retarget(to targets: [TCPClient.Target]) throws(SocketError) -> Latch? {
    let rotation = TargetRotation(targets)
    try rotation.validate()
    self.rotation = rotation
    if isRunning { isRetargeted = true }
    return interruption
  }
}
