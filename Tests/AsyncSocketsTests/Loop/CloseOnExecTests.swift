import Glibc
import Peers
import TestHarness
import Testing

@testable import AsyncSockets

@Suite("Descriptors and child processes", .timeLimit(.minutes(4)))
struct CloseOnExecTests {
  @Test(
    "Every descriptor is close-on-exec and nonblocking from birth (P04, scenario F19)",
    arguments: Network.allCases)
  func flags(network: Network) async {
    await #expect(processExitsWith: .success) { [name = network.rawValue as String] in
      await reportingErrors {
        let network = try #require(Network(rawValue: name))
        // Those of the library alone: the shared loops and what this process had before.
        _ = try EventLoopGroup.shared
        _ = try ProcessSignals(.user1)
        let before = Set(ResourceAudit.openDescriptors())
        let loop = try EventLoop()
        let listener = try Listener.bind(to: network.freeAddress, on: loop)
        let address = listener.address
        let peer = try await onThread { try Network.connect(to: address) }
        let connection = try await listener.accept(on: loop)
        let client = try await connector(on: loop).connect(to: address)
        let kinds = ["anon_inode:[eventpoll]", "anon_inode:[eventfd]", "socket:"]
        let own = ResourceAudit.openDescriptors().filter { descriptor in
          !before.contains(descriptor) && descriptor.number != Int(peer.descriptor)
            && kinds.contains { descriptor.target.hasPrefix($0) }
        }
        // An epoll, an eventfd, the listener and two connections, at the least.
        for (kind, least) in zip(kinds, [1, 1, 3]) {
          #expect(own.count { $0.target.hasPrefix(kind) } >= least, "\(kind)")
        }
        for descriptor in own {
          let flags = try openFlags(descriptor.number)
          #expect(flags & O_CLOEXEC != 0, "\(descriptor)")
          if descriptor.target != "anon_inode:[eventpoll]" {
            #expect(flags & O_NONBLOCK != 0, "\(descriptor)")
          }
        }
        connection.abort()
        client.abort()
        listener.close()
        await loop.shutdown()
      }
    }
  }

  @Test("A child process that is started at any moment inherits none of them (P04, P67)")
  func childProcesses() async {
    await #expect(processExitsWith: .success) {
      await reportingErrors {
        let inherited = Set(ResourceAudit.openDescriptors().map(\.target))
        let loop = try EventLoop()
        let listener = try Listener.bind(to: .loopback(), on: loop)
        let port = try #require(listener.address.port)
        let churn = Task {
          while !Task.isCancelled {
            let peer = try await onThread { try BlockingPeer.connect(port: port) }
            try await listener.accept(on: loop).abort()
            peer.close()
            try await EventLoop().shutdown()
          }
        }
        for _ in 0..<30 {
          let output = try await withChildProcess("ls", ["-l", "/proc/self/fd"]) { try await $0.readToEnd() }
          for line in String(decoding: output, as: UTF8.self).split(separator: "\n").dropFirst() {
            let parts = line.split(separator: " ")
            let arrow = try #require(parts.firstIndex(of: "->"))
            let (number, target) = (parts[arrow - 1], parts[(arrow + 1)...].joined(separator: " "))
            // Its standard streams, and the directory that it lists.
            if ["0", "1", "2"].contains(number) || target.hasPrefix("/proc/") { continue }
            #expect(inherited.contains(target), "\(line)")
          }
        }
        churn.cancel()
        // The accept may have been under way.
        _ = await churn.result
        listener.close()
        await loop.shutdown()
      }
    }
  }
}
