// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what it depends on never reaches a user of the library.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "Benchmarks",
  products: [
    .executable(name: "asyncsockets-server", targets: ["asyncsockets-server"]),
    .executable(name: "asyncsockets-handlers", targets: ["asyncsockets-handlers"]),
    .executable(name: "asyncsockets-client", targets: ["asyncsockets-client"]),
    .executable(name: "nio-pipeline", targets: ["nio-pipeline"]),
    .executable(name: "nio-client", targets: ["nio-client"]),
    .executable(name: "nio-async", targets: ["nio-async"]),
    .executable(name: "flyingsocks", targets: ["flyingsocks"]),
    .executable(name: "decoding", targets: ["decoding"]),
  ],
  dependencies: [
    .package(name: "AsyncSockets", path: ".."),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", .upToNextMinor(from: "0.27.1")),
  ],
  targets: [
    .target(name: "ServerArguments", swiftSettings: settings),
    .target(name: "ClientArguments", dependencies: ["ServerArguments"], swiftSettings: settings),
    .executableTarget(
      name: "asyncsockets-server",
      dependencies: ["ServerArguments", .product(name: "TCPServer", package: "AsyncSockets")],
      swiftSettings: settings + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
    .executableTarget(
      name: "asyncsockets-handlers",
      dependencies: ["ServerArguments", .product(name: "TCPServer", package: "AsyncSockets")],
      swiftSettings: settings + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
    .executableTarget(
      name: "asyncsockets-client",
      dependencies: ["ClientArguments", .product(name: "MultiClient", package: "AsyncSockets")],
      swiftSettings: settings + [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
    .executableTarget(
      name: "nio-pipeline",
      dependencies: [
        "ServerArguments",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOExtras", package: "swift-nio-extras"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "nio-client",
      dependencies: [
        "ClientArguments",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "nio-async",
      dependencies: [
        "ServerArguments",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOExtras", package: "swift-nio-extras"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "flyingsocks",
      dependencies: ["ServerArguments", .product(name: "FlyingSocks", package: "FlyingFox")],
      swiftSettings: settings),
    .executableTarget(
      name: "decoding",
      dependencies: [
        .product(name: "Framing", package: "AsyncSockets"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOExtras", package: "swift-nio-extras"),
      ],
      swiftSettings: settings),
  ]
)
