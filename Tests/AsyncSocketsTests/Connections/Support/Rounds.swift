import Glibc

/// How often a test repeats what only shows now and then: a little by default, a lot when the long tests are asked
/// for.
func rounds(_ usual: Int, slow: Int) -> Int {
  guard let value = unsafe getenv("ASYNCSOCKETS_SLOW") else { return usual }
  return unsafe String(cString: value) == "1" ? slow : usual
}
