// swift-tools-version: 6.2

import PackageDescription

// A package of its own, so that building photodb never builds the benchmark tool.
let package = Package(
  name: "Benchmarks",
  dependencies: [
    .package(name: "photodb", path: ".."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
  ],
  targets: [
    .target(
      name: "SyntheticFaces", dependencies: [.product(name: "HDBSCAN", package: "photodb")]),
    .target(
      name: "BenchmarkDatabase",
      dependencies: [
        .product(name: "FaceClustering", package: "photodb"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "StageSpeed",
      dependencies: [
        "BenchmarkDatabase", "SyntheticFaces",
        .product(name: "FaceClustering", package: "photodb"),
      ], path: "Benchmarks/StageSpeed"),
  ]
)

for name in ["FitBenchmarks", "PredictBenchmarks", "StageBenchmarks"] {
  package.targets.append(
    .executableTarget(
      name: name,
      dependencies: [
        "BenchmarkDatabase", "SyntheticFaces",
        .product(name: "Benchmark", package: "benchmark"),
        .product(name: "FaceClustering", package: "photodb"),
        .product(name: "HDBSCAN", package: "photodb"),
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Benchmarks/\(name)",
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]))
}
