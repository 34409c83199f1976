// swift-tools-version: 6.2
import PackageDescription

// A package of its own, since only the fuzzer's build has a main function for it: build it with Fuzz/run.
let package = Package(
  name: "Fuzz",
  dependencies: [.package(name: "AsyncSockets", path: "..")],
  targets: [
    .executableTarget(
      name: "FuzzCodecs", dependencies: [.product(name: "Framing", package: "AsyncSockets")], path: "Sources",
      swiftSettings: [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
      ])
  ]
)
