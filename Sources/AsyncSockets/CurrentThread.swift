import Glibc

/// The thread that is running.
enum CurrentThread {
  /// Names the thread, for as long as it lives.
  static var identity: UInt { UInt(pthread_self()) }
}
