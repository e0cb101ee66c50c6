// swift-tools-version: 6.2

import PackageDescription

// A package of its own: it uses the library as any other package would. The documentation shows
// each program whole, with what it prints.
let package = Package(
  name: "Examples",
  dependencies: [.package(name: "photodb", path: "..")],
  targets: ["ClusterFaces", "CancelFit"].map { name in
    .executableTarget(
      name: name, dependencies: [.product(name: "HDBSCAN", package: "photodb")])
  }
)
