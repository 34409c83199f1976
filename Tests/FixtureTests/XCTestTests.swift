import TestHarness
import XCTest

/// The same fixture in the other framework.
final class XCTestTests: XCTestCase {
  func testFiveLines() async throws {
    try await withTestServer(.echo) { server in
      let client = try SomebodysClient(port: server.port)
      XCTAssertEqual(try client.ask("hello"), "hello")
    }
  }

  func testReport() async throws {
    do {
      try await withTestServer(framing: .lines) { peer in
        try await peer.expect("hello")
      } body: { server in
        _ = try? SomebodysClient(port: server.port).ask("hullo")
      }
      XCTFail("it passed")
    } catch {
      XCTAssertTrue("\(error)".contains(#"expected "hello", but "hullo" came"#))
    }
  }
}
