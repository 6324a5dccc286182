// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// For what runs once: the command line, and the sentences of a report. These come last in a build, and the optimizer
/// would need a sixth of its time for them. CONTRIBUTING.md has the figures.
let unoptimized: [SwiftSetting] = [.unsafeFlags(["-Onone"], .when(configuration: .release))]

/// A target is a boundary only where an import must be forbidden; ARCHITECTURE.md says which and why.
func library(
  _ name: String, _ path: String, _ dependencies: [Target.Dependency] = [], settings more: [SwiftSetting] = []
) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/\(path)", swiftSettings: settings + more)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)", swiftSettings: settings)
}

let algorithms: Target.Dependency = .product(name: "Algorithms", package: "swift-algorithms")
let orderedCollections: Target.Dependency = .product(name: "OrderedCollections", package: "swift-collections")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// What knows no kernel.
let translator: [Target.Dependency] = [
  "NetpolModel", "Text", "Statistics", "Manifests", "Oracle", "RuleIR", "Lowering", "Evaluator", "Path", "Enforcement",
  "EngineComparison", "PolicyDiff", "Lint", "Remedies", "Proof", "Rendering", "Dumps", "DumpDiff", "ServiceProxy",
  "Worlds", "ServedAPI",
]
/// What a product stands on: from the kernel up to a lab that is reused, and whoever enforces policies in it.
let lab: [Target.Dependency] = ["Kernel", "Apply", "Network", "Verdicts", "StandingLab", "Agent"]
/// Beside each other: none knows another.
let products: [Target.Dependency] = ["Run", "Lag", "Bench", "Fuzz"]
/// What tells of them.
let report: [Target.Dependency] = ["Documents", "Report"]
/// What makes something else than a report: a script, a shell in the lab, an API.
let tools: [Target.Dependency] = ["Export", "Shell", "APIServer"]
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
  name: "netpol-lab",
  products: [.executable(name: "netpol-lab", targets: ["netpol-lab"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-algorithms", from: "1.2.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // Translator: manifests to rules. Pure values, no system calls, builds and tests without root.
    library("NetpolModel", "Translator/Model", ["CDigest", algorithms]),
    library("Text", "Translator/Text"),
    library("Statistics", "Translator/Statistics"),
    library("YAMLText", "Translator/YAMLText", ["NetpolModel"]),
    library(
      "Manifests", "Translator/Manifests", ["NetpolModel", "Text", "YAMLText", algorithms, orderedCollections, yams]),
    library(
      "ServedAPI", "Translator/ServedAPI",
      ["NetpolModel", "Text", "Statistics", "Manifests", .product(name: "DequeModule", package: "swift-collections")]),
    library("Oracle", "Translator/Oracle", ["NetpolModel"]),
    library("Worlds", "Translator/Worlds", ["NetpolModel", "Statistics", "YAMLText", algorithms]),
    library("RuleIR", "Translator/RuleIR", ["NetpolModel", algorithms]),
    library("Lowering", "Translator/Lowering", ["NetpolModel", "RuleIR", algorithms]),
    library("Evaluator", "Translator/Evaluator", ["NetpolModel", "RuleIR", algorithms]),
    library("ServiceProxy", "Translator/ServiceProxy", ["NetpolModel", "RuleIR"]),
    library("Path", "Translator/Path", ["NetpolModel"]),
    library("Rendering", "Translator/Rendering", ["NetpolModel", "RuleIR"]),
    library("Dumps", "Translator/Dumps", ["NetpolModel", "Text", "RuleIR", orderedCollections, yams]),
    library(
      "DumpDiff", "Translator/DumpDiff",
      ["NetpolModel", "RuleIR", "Rendering", "Dumps", algorithms, orderedCollections]),
    library(
      "Enforcement", "Translator/Enforcement",
      ["NetpolModel", "RuleIR", "Lowering", "ServiceProxy", "Evaluator", "Path", "Rendering", algorithms]),
    library(
      "EngineComparison", "Translator/EngineComparison",
      ["NetpolModel", "Oracle", "Lowering", "Evaluator", "Path", "Enforcement", algorithms]),
    library("PolicyDiff", "Translator/PolicyDiff", ["NetpolModel", "Oracle", "Path"]),
    library("Lint", "Translator/Lint", ["NetpolModel", "Path", "PolicyDiff"]),
    library("Remedies", "Translator/Remedies", ["NetpolModel", "Oracle", "PolicyDiff"]),
    library(
      "Proof", "Translator/Proof",
      [
        "NetpolModel", "Oracle", "RuleIR", "Lowering", "Evaluator", "Path", "Rendering", "Enforcement",
        "EngineComparison",
      ]),

    // C libraries and shims: digests (libmd), netlink (libnftnl, libmnl), and calls that Swift can't import.
    .systemLibrary(name: "CDigest", path: "Sources/CDigest", pkgConfig: "libmd", providers: [.apt(["libmd-dev"])]),
    .systemLibrary(
      name: "CNftables", path: "Sources/CNftables", pkgConfig: "libnftnl",
      providers: [.apt(["libnftnl-dev", "libmnl-dev"])]),
    .target(name: "CLinux", path: "Sources/CLinux"),

    // Lab: namespaces, packets. Each stands on those above it.
    library(
      "Kernel", "Lab/Kernel",
      [
        "CNftables", "CLinux", .product(name: "SystemPackage", package: "swift-system"), algorithms,
        orderedCollections,
      ]),
    library("Apply", "Lab/Apply", ["NetpolModel", "RuleIR", "Rendering", "Dumps", "Kernel", algorithms]),
    library("Network", "Lab/Network", ["NetpolModel", "Path", "Kernel", "Apply"]),
    library(
      "Verdicts", "Lab/Verdicts", ["NetpolModel", "RuleIR", "Path", "Kernel", "Apply", "Network"]),
    library(
      "StandingLab", "Lab/Standing",
      [
        "NetpolModel", "RuleIR", "Lowering", "ServiceProxy", "Oracle", "Path", "Enforcement", "EngineComparison",
        "Kernel", "Apply", "Network", "Verdicts",
      ]),
    library(
      "Agent", "Lab/Agent",
      ["NetpolModel", "Text", "RuleIR", "Lowering", "Rendering", "Dumps", "Kernel", "Apply", "Network", algorithms]),

    // Products, and what tells of them.
    library(
      "Run", "Lab/Run",
      [
        "NetpolModel", "Oracle", "Lowering", "ServiceProxy", "Evaluator", "Path", "Enforcement", "EngineComparison",
        "PolicyDiff", "RuleIR", "Remedies", "Lint", "Kernel", "Network", "Verdicts", "StandingLab", algorithms,
        orderedCollections,
      ]),
    library(
      "Export", "Lab/Export",
      [
        "NetpolModel", "Text", "RuleIR", "Lowering", "Path", "Rendering", "Enforcement", "EngineComparison", "Network",
        "Verdicts", "Run",
      ], settings: unoptimized),
    library(
      "Shell", "Lab/Shell",
      [
        "NetpolModel", "Text", "Lowering", "ServiceProxy", "Path", "Kernel", "Apply", "Network", "Verdicts",
        "StandingLab",
      ], settings: unoptimized),
    library(
      "APIServer", "Lab/APIServer",
      [
        "NetpolModel", "Text", "Manifests", "ServedAPI", logging, .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),
    library(
      "Lag", "Lab/Lag",
      [
        "NetpolModel", "Text", "Statistics", "Oracle", "Lowering", "Path", "Enforcement", "Kernel", "Network",
        "Verdicts", "StandingLab", "Agent", algorithms, orderedCollections,
      ]),
    library(
      "Bench", "Lab/Bench",
      [
        "NetpolModel", "Text", "Statistics", "Oracle", "RuleIR", "Lowering", "ServiceProxy", "Path", "Rendering",
        "Enforcement", "Kernel", "Apply", "Network", "Verdicts", "StandingLab", "Agent", algorithms,
      ]),
    library(
      "Fuzz", "Lab/Fuzz",
      [
        "NetpolModel", "Text", "Statistics", "Manifests", "Worlds", "Oracle", "RuleIR", "Lowering", "Evaluator", "Path",
        "Rendering", "Dumps", "DumpDiff", "Enforcement", "EngineComparison", "Proof", "Kernel", "Apply", "Network",
        "Verdicts",
        "StandingLab", algorithms,
      ]),
    library("Documents", "Lab/Document", ["NetpolModel", "Text", "Statistics", algorithms, orderedCollections]),
    library(
      "Report", "Lab/Report",
      [
        "NetpolModel", "Text", "Statistics", "RuleIR", "Lowering", "Path", "Enforcement", "EngineComparison",
        "PolicyDiff", "Lint", "Remedies", "Proof", "DumpDiff", "Verdicts", "StandingLab", "Documents",
        algorithms, orderedCollections,
      ] + products, settings: unoptimized),
    .executableTarget(
      name: "netpol-lab",
      dependencies: translator + lab + products + report + tools
        + [.product(name: "ArgumentParser", package: "swift-argument-parser"), algorithms, yams, logging],
      path: "Sources/netpol-lab", swiftSettings: settings + unoptimized),

    // Tests mirror Sources; what they share is in Tests/Support.
    .target(
      name: "TestSupport",
      dependencies: [
        "NetpolModel", "Manifests", "RuleIR", "Lowering", "Path", "Dumps", "DumpDiff",
        "Enforcement", "EngineComparison", "Kernel", "Run",
      ], path: "Tests/Support", swiftSettings: settings),
    tests("ModelTests", ["NetpolModel"]),
    tests("TextTests", ["Text"]),
    tests("StatisticsTests", ["Statistics"]),
    tests("ManifestTests", ["NetpolModel", "Text", "Manifests", yams]),
    tests("OracleTests", ["NetpolModel", "Statistics", "Manifests", "Oracle", "Path", "Worlds"]),
    tests("ServedAPITests", ["NetpolModel", "Text", "Manifests", "ServedAPI"]),
    tests("WorldsTests", ["NetpolModel", "Manifests", "Worlds"]),
    tests("RuleIRTests", ["NetpolModel", "RuleIR", "Rendering", "Lowering", "Worlds"]),
    tests("LoweringTests", ["NetpolModel", "Statistics", "Manifests", "RuleIR", "Lowering", "Rendering"]),
    tests(
      "EvaluatorTests",
      ["NetpolModel", "Statistics", "Manifests", "RuleIR", "Lowering", "Evaluator", "Dumps", "DumpDiff"]),
    tests(
      "ServiceProxyTests", ["NetpolModel", "RuleIR", "Lowering", "Evaluator", "ServiceProxy", "Rendering", "Dumps"]),
    tests("PathTests", ["NetpolModel", "Manifests", "Path"]),
    tests("RenderingTests", ["NetpolModel", "RuleIR", "Rendering"]),
    tests("DumpsTests", ["NetpolModel", "Statistics", "Worlds", "RuleIR", "Rendering", "Dumps"]),
    tests("DumpDiffTests", ["NetpolModel", "Manifests", "RuleIR", "Lowering", "Rendering", "Dumps", "DumpDiff"]),
    tests("EnforcementTests", translator),
    tests("EngineComparisonTests", translator),
    tests("ProofTests", translator + ["Fuzz"]),
    tests("PolicyDiffTests", translator),
    tests("LintTests", translator),
    tests("RemediesTests", translator),
    tests("KernelTests", ["Kernel"]),
    tests("ApplyTests", translator + ["Kernel", "Apply"]),
    tests("NetworkTests", translator + lab + ["Run"] + report),
    tests("VerdictsTests", translator + lab),
    tests("AgentTests", translator + lab),
    tests("RunTests", translator + lab + ["Run", "Fuzz"] + report),
    tests("ExportTests", ["NetpolModel", "Path", "Kernel", "Export"]),
    tests(
      "APIServerTests", ["NetpolModel", "Text", "Manifests", "ServedAPI", "Kernel", "APIServer", "Worlds"]),
    tests("ShellTests", ["NetpolModel", "Shell"]),
    tests("LagTests", translator + lab + ["Lag"] + report),
    tests("BenchTests", translator + lab + ["Bench", "Lag"] + report),
    tests("FuzzTests", translator + lab + ["Fuzz"]),
    tests("ReportTests", translator + lab + products + report),
    tests(
      "ProgramTests",
      translator + lab + [
        "Lag", "netpol-lab", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ]),
    tests("LabTests", translator + lab + products + report),
  ]
)
