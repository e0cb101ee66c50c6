// swift-tools-version: 6.2

import PackageDescription

// A package of its own: it uses the library as any other package would.
let package = Package(
  name: "ClusterFaces",
  dependencies: [.package(name: "photodb", path: "../..")],
  targets: [
    .executableTarget(
      name: "ClusterFaces", dependencies: [.product(name: "HDBSCAN", package: "photodb")])
  ]
)
