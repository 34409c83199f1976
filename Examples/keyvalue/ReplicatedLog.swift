/// One replica's list of commands, and its part in keeping all lists alike. It does no I/O.
///
/// In each epoch one replica, the primary, gives commands their places, and offers them to its backups; what all of them
/// have is executed, and stays. Whoever is promoted begins an epoch with the list that it has. Its backups give up what
/// differs from it, and refuse the primaries before it, who can finish nothing any more.
struct ReplicatedLog {
  struct Entry: Equatable {
    let epoch: Int
    let command: Command
  }

  /// A primary offers an entry. The one before it must be of this epoch, or the lists differ there already.
  struct Offer: LosslessStringConvertible {
    let epoch: Int
    /// How many entries may have been executed.
    let finished: Int
    let index: Int
    let epochBefore: Int
    let entry: Entry
  }

  private(set) var epoch = 0
  /// Of a primary; `nil` for all others.
  private(set) var backups: [String]?
  private var entries: [Entry] = []
  /// Who has fewer entries than this lacks some that may have been executed.
  private var finished = 0
  private var store = Store()
  private var executed = 0

  var lastIndex: Int? { entries.indices.last }

  // MARK: The primary

  /// Begins an epoch as its primary.
  ///
  /// - Returns: why not, if it cannot.
  mutating func promote(to newEpoch: Int, with newBackups: [String]) -> String? {
    if newEpoch == epoch, newBackups == backups { return nil }
    if newEpoch <= epoch { return "there is an epoch \(epoch) already" }
    if epoch == 0, newEpoch > 1 { return "it knows nothing of the epochs before" }
    if entries.count < finished { return "it lacks \(finished - entries.count) commands" }
    (epoch, backups, finished) = (newEpoch, newBackups, entries.count)
    return nil
  }

  /// Gives a command its place; `nil` if this is not the primary.
  mutating func append(_ command: Command) -> (index: Int, epoch: Int, backups: [String])? {
    guard let backups else { return nil }
    entries.append(Entry(epoch: epoch, command: command))
    return (entries.count - 1, epoch, backups)
  }

  /// What to tell a backup; `nil` if another epoch has begun.
  func offer(of index: Int, in epoch: Int) -> Offer? {
    guard epoch == self.epoch, backups != nil else { return nil }
    return Offer(
      epoch: epoch, finished: max(finished, executed), index: index,
      epochBefore: index == 0 ? 0 : entries[index - 1].epoch, entry: entries[index])
  }

  /// Executes an entry that all backups have, and those before it.
  ///
  /// - Returns: those that had not been executed before, with their replies; `nil` if another epoch has begun.
  mutating func execute(through index: Int, in epoch: Int, forgetful: Bool) -> [(Command, String)]? {
    guard epoch == self.epoch, backups != nil else { return nil }
    var done: [(Command, String)] = []
    while executed <= index {
      let command = entries[executed].command
      let (reply, isNew) = forgetful ? (store.execute(command), true) : store.apply(command)
      if isNew { done.append((command, reply)) }
      executed += 1
    }
    return done
  }

  /// The reply to a command that has been executed.
  mutating func reply(to index: Int) -> String { store.apply(entries[index].command).reply }

  // MARK: A backup

  /// - Returns: up to where its list is the primary's; `nil` for a primary of the past.
  mutating func accept(_ offer: Offer) -> Int? {
    guard offer.epoch > epoch || offer.epoch == epoch && backups == nil else { return nil }
    finished = offer.epoch > epoch ? offer.finished : max(finished, offer.finished)
    (epoch, backups) = (offer.epoch, nil)
    let index = offer.index
    guard index <= entries.count else { return entries.count }
    if index > 0, entries[index - 1].epoch != offer.epochBefore { return index - 1 }
    if index < entries.count, entries[index] != offer.entry { entries.removeSubrange(index...) }
    if index == entries.count { entries.append(offer.entry) }
    return index + 1
  }
}

extension ReplicatedLog.Offer {
  init?(_ text: String) {
    let words = text.split(separator: " ", maxSplits: 5).map(String.init)
    let numbers = words.prefix(5).compactMap { Int($0) }
    guard words.count == 6, numbers.count == 5, numbers[2] >= 0, let command = Command(words[5]) else {
      return nil
    }
    (epoch, finished, index, epochBefore) = (numbers[0], numbers[1], numbers[2], numbers[3])
    entry = ReplicatedLog.Entry(epoch: numbers[4], command: command)
  }

  var description: String { "\(epoch) \(finished) \(index) \(epochBefore) \(entry.epoch) \(entry.command)" }
}
