import Glibc

/// Lets a millisecond pass on a thread of a peer's own, where nothing tells when to look again.
func giveOthersAMoment() {
  usleep(1000)
}
