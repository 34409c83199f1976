// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "AsyncSockets",
  products: [
    .library(name: "Framing", targets: ["Framing"]),
    .library(name: "AsyncSockets", targets: ["AsyncSockets"]),
    .library(name: "TCPServer", targets: ["TCPServer"]),
    .library(name: "TCPClient", targets: ["TCPClient"]),
    .library(name: "MultiClient", targets: ["MultiClient"]),
    .library(name: "TestHarness", targets: ["TestHarness"]),
    .executable(name: "swarm", targets: ["swarm"]),
    .executable(name: "rot13", targets: ["rot13"]),
    .executable(name: "proxy", targets: ["proxy"]),
    .executable(name: "chat", targets: ["chat"]),
    .executable(name: "redis", targets: ["redis"]),
    .executable(name: "subscriber", targets: ["subscriber"]),
    .executable(name: "sweep", targets: ["sweep"]),
    .executable(name: "keyvalue", targets: ["keyvalue"]),
  ],
  targets: [
    .systemLibrary(name: "CLinux"),
    .target(name: "Framing", swiftSettings: settings),
    .target(name: "AsyncSockets", dependencies: ["CLinux", "Framing"], swiftSettings: settings),
    .target(name: "TCPServer", dependencies: ["AsyncSockets", "Framing"], swiftSettings: settings),
    .target(name: "TCPClient", dependencies: ["AsyncSockets", "Framing"], swiftSettings: settings),
    .target(name: "MultiClient", dependencies: ["AsyncSockets", "Framing"], swiftSettings: settings),
    .target(
      name: "TestHarness", dependencies: ["AsyncSockets", "Framing", "TCPServer", "CLinux"],
      swiftSettings: settings),
    .executableTarget(
      name: "swarm", dependencies: ["MultiClient", "TCPServer"], path: "Examples/swarm",
      swiftSettings: settings),
    .executableTarget(
      name: "rot13", dependencies: ["TCPServer"], path: "Examples/rot13", swiftSettings: settings),
    .executableTarget(
      name: "proxy", dependencies: ["TCPServer"], path: "Examples/proxy", swiftSettings: settings),
    .executableTarget(
      name: "chat", dependencies: ["TCPServer"], path: "Examples/chat", swiftSettings: settings),
    .executableTarget(
      name: "redis", dependencies: ["TCPClient"], path: "Examples/redis", swiftSettings: settings),
    .executableTarget(
      name: "subscriber", dependencies: ["TCPClient"], path: "Examples/subscriber", swiftSettings: settings),
    .executableTarget(
      name: "sweep", dependencies: ["MultiClient"], path: "Examples/sweep", swiftSettings: settings),
    .executableTarget(
      name: "keyvalue", dependencies: ["TCPServer", "TCPClient"], path: "Examples/keyvalue",
      swiftSettings: settings),
    .target(name: "Peers", dependencies: ["CLinux"], path: "Tests/Peers", swiftSettings: settings),
    .target(
      name: "TestSupport", dependencies: ["AsyncSockets"], path: "Tests/TestSupport", swiftSettings: settings),
    .executableTarget(
      name: "SocketExercise", dependencies: ["TCPServer", "AsyncSockets", "Framing", "TestHarness"],
      path: "Tests/SocketExercise", swiftSettings: settings),
    .executableTarget(
      name: "ExploreExercise",
      dependencies: ["TCPClient", "TCPServer", "AsyncSockets", "Framing", "TestHarness"],
      path: "Tests/ExploreExercise", swiftSettings: settings),
    .target(
      name: "CodecFuzzing", dependencies: ["Framing"], path: "Fuzz/Sources/CodecFuzzing",
      swiftSettings: settings),
    .testTarget(
      name: "FramingTests", dependencies: ["Framing", "CodecFuzzing", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "TestHarnessTests",
      dependencies: ["TestHarness", "TCPServer", "TCPClient", "MultiClient", "AsyncSockets", "Framing"],
      swiftSettings: settings),
    .testTarget(
      name: "FixtureTests", dependencies: ["TestHarness", "TCPServer", "AsyncSockets", "Framing", "Peers"],
      swiftSettings: settings),
    .testTarget(
      name: "AsyncSocketsTests",
      dependencies: ["AsyncSockets", "Framing", "TestHarness", "CLinux", "Peers", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "TCPServerTests",
      dependencies: [
        "TCPServer", "AsyncSockets", "Framing", "TestHarness", "CLinux", "Peers", "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "TCPClientTests",
      dependencies: [
        "TCPClient", "TCPServer", "AsyncSockets", "Framing", "TestHarness", "CLinux", "Peers", "TestSupport",
        "redis",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "MultiClientTests",
      dependencies: [
        "MultiClient", "TCPServer", "AsyncSockets", "Framing", "TestHarness", "CLinux", "Peers",
        "TestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "KeyValueTests",
      dependencies: ["keyvalue", "TestHarness", "TCPServer", "TCPClient", "AsyncSockets", "Framing"],
      swiftSettings: settings),
    .testTarget(
      name: "SwarmTests", dependencies: ["swarm", "MultiClient", "TestHarness", "Peers"],
      swiftSettings: settings),
  ]
)
