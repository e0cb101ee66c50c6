// swift-tools-version: 6.2

import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

// Read from the bottom up: system libraries and kernels, the HDBSCAN library, files and
// PostgreSQL, the stage, and last the command. docs/architecture.md draws it.
let package = Package(
  name: "photodb",
  products: [
    // A product holds every module whose types its public symbols use.
    .library(name: "HDBSCAN", targets: ["HDBSCAN", "Vectors"]),
    .library(
      name: "FaceClustering",
      targets: [
        "FaceClustering", "HDBSCAN", "PersonGrouping", "PostgresClient", "PrivatePostgres", "Store",
        "Vectors",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(
      url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["JSON", "YAML"]),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/swiftcsv/SwiftCSV", from: "0.10.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // System libraries.
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // Numbers.
    // Threads; a program need not use it in Swift to have it.
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("dispatch")]),
    .target(name: "Vectors", dependencies: ["CKernels", "COpenBLAS"], swiftSettings: strict),
    .target(
      name: "HDBSCAN", dependencies: ["CKernels", "Vectors"], swiftSettings: strict),
    .target(
      name: "PersonGrouping", dependencies: ["HDBSCAN", "Vectors"], swiftSettings: strict),
    .target(
      name: "ClusterEvaluation", dependencies: ["CKernels", "Vectors"], swiftSettings: strict),

    // Files.
    .target(name: "TensorFiles", dependencies: ["CZlib", "Vectors"], swiftSettings: strict),

    // PostgreSQL.
    .target(
      name: "PostgresClient",
      dependencies: ["CLibpq", .product(name: "Logging", package: "swift-log")],
      swiftSettings: strict),
    .target(
      name: "PrivatePostgres",
      dependencies: [
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(name: "CMigrations"),
    .target(
      name: "Store",
      dependencies: [
        "CMigrations", "PostgresClient", "Vectors",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // The stage.
    .target(
      name: "FaceClustering",
      dependencies: [
        "HDBSCAN", "PersonGrouping", "PostgresClient", "Store", "TensorFiles", "Vectors",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // Surfaces.
    .target(name: "CDemoFaces", exclude: ["README.md", "demo-faces.safetensors"]),
    .target(
      name: "PhotodbCommands",
      dependencies: [
        "CDemoFaces", "ClusterEvaluation", "FaceClustering", "HDBSCAN", "PersonGrouping",
        "PostgresClient", "PrivatePostgres", "Store", "TensorFiles", "Vectors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "SwiftCSV", package: "SwiftCSV"),
      ],
      swiftSettings: strict),
    .executableTarget(name: "photodb", dependencies: ["PhotodbCommands"], swiftSettings: strict),

    // Tests, in the order of what they test.
    .target(
      name: "TestSupport",
      dependencies: [
        "PostgresClient", "PrivatePostgres", "Store",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "VectorsTests", dependencies: ["CKernels", "Vectors"], swiftSettings: strict),
    .testTarget(
      name: "HDBSCANTests", dependencies: ["CKernels", "HDBSCAN", "TensorFiles", "Vectors"],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "PersonGroupingTests",
      dependencies: [
        "CDemoFaces", "ClusterEvaluation", "HDBSCAN", "PersonGrouping", "TensorFiles", "Vectors",
      ], swiftSettings: strict),
    .testTarget(
      name: "ClusterEvaluationTests", dependencies: ["ClusterEvaluation", "Vectors"],
      swiftSettings: strict),
    .testTarget(
      name: "TensorFilesTests", dependencies: ["TensorFiles", "Vectors"], exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "PostgresClientTests",
      dependencies: [
        "CLibpq", "PostgresClient", "TestSupport", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PrivatePostgresTests",
      dependencies: [
        "PostgresClient", "PrivatePostgres", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "StoreTests",
      dependencies: [
        "PostgresClient", "Store", "TestSupport", "Vectors",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FaceClusteringTests",
      dependencies: [
        "FaceClustering", "HDBSCAN", "PostgresClient", "Store", "TensorFiles", "TestSupport",
        "Vectors", .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(
      name: "PhotodbCommandsTests",
      dependencies: [
        "FaceClustering", "HDBSCAN", "PersonGrouping", "photodb", "PhotodbCommands",
        "PostgresClient", "Store", "TensorFiles", "TestSupport", "Vectors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["Fixtures"], swiftSettings: strict),
  ],
  cLanguageStandard: .gnu2x
)
