// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// A target is a boundary only where an import must be forbidden; ARCHITECTURE.md says which and why.
func library(_ name: String, _ path: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target
{
  .target(name: name, dependencies: dependencies, path: "Sources/\(path)", exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: settings)
}

let translator: [Target.Dependency] = [
  "NetpolModel", "Manifests", "Oracle", "RuleIR", "Lowering", "Evaluator", "Path", "Comparison", "Rendering",
  "Dumps", "NodeComparison", "ServiceProxy", "Worlds",
]

let package = Package(
  name: "netpol-lab",
  products: [.executable(name: "netpol-lab", targets: ["netpol-lab"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "3.12.0"),
    .package(url: "https://github.com/apple/swift-system", from: "1.4.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // Translator: manifests to rules. Pure values, no system calls, builds and tests without root.
    library("NetpolModel", "Translator/Model"),
    library("Manifests", "Translator/Manifests", ["NetpolModel", .product(name: "Yams", package: "Yams")]),
    library("Oracle", "Translator/Oracle", ["NetpolModel"]),
    library("Worlds", "Translator/Worlds", ["NetpolModel"]),
    library("RuleIR", "Translator/RuleIR", ["NetpolModel", .product(name: "Crypto", package: "swift-crypto")]),
    library("Lowering", "Translator/Lowering", ["NetpolModel", "RuleIR"]),
    library("Evaluator", "Translator/Evaluator", ["NetpolModel", "RuleIR"]),
    library("ServiceProxy", "Translator/ServiceProxy", ["NetpolModel", "RuleIR"]),
    library("Path", "Translator/Path", ["NetpolModel"]),
    library("Rendering", "Translator/Rendering", ["NetpolModel", "RuleIR"]),
    library("Dumps", "Translator/Dumps", ["NetpolModel", "RuleIR"]),
    library("NodeComparison", "Translator/NodeComparison", ["NetpolModel", "RuleIR", "Rendering", "Dumps"]),
    library(
      "Comparison", "Translator/Comparison",
      ["NetpolModel", "Oracle", "RuleIR", "Lowering", "ServiceProxy", "Evaluator", "Path"]),

    // The C side: headers of libnftnl and libmnl, and the calls that Swift can't import.
    .systemLibrary(
      name: "CNftables", path: "Sources/CNftables", pkgConfig: "libnftnl",
      providers: [.apt(["libnftnl-dev", "libmnl-dev"])]),
    .target(name: "CLinux", path: "Sources/CLinux"),

    // Lab: namespaces, packets.
    library("Kernel", "Lab/Kernel", ["CNftables", "CLinux", .product(name: "SystemPackage", package: "swift-system")]),
    library("Apply", "Lab/Apply", ["NetpolModel", "RuleIR", "Rendering", "Kernel"]),
    library("Lab", "Lab", translator + ["Kernel", "Apply"], exclude: ["Kernel", "Apply"]),
    .executableTarget(
      name: "netpol-lab",
      dependencies: translator + ["Lab", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Sources/netpol-lab", swiftSettings: settings),

    tests("ModelTests", ["NetpolModel"]),
    tests("ManifestTests", ["Manifests", "NetpolModel"]),
    tests("WorldsTests", ["Worlds", "Manifests", "NetpolModel"]),
    tests("OracleTests", ["Oracle", "Manifests", "NetpolModel"]),
    tests("RuleIRTests", ["RuleIR", "Rendering", "Lowering", "Worlds", "NetpolModel"]),
    tests("DumpsTests", ["Dumps", "RuleIR", "Rendering", "Worlds", "NetpolModel"]),
    tests("LoweringTests", ["Lowering", "Rendering", "RuleIR", "Manifests", "NetpolModel"]),
    tests(
      "NodeComparisonTests",
      ["NodeComparison", "Dumps", "Evaluator", "Lowering", "Manifests", "NetpolModel", "Rendering", "RuleIR"]),
    tests("EvaluatorTests", ["Evaluator", "RuleIR", "NetpolModel"]),
    tests("ServiceProxyTests", ["ServiceProxy", "Lowering", "Evaluator", "Rendering", "RuleIR", "NetpolModel"]),
    tests("ComparisonTests", translator + ["Kernel", "Apply", "Lab"]),
    tests("KernelTests", ["Kernel"]),
    tests("LabTests", translator + ["Kernel", "Apply", "Lab", "netpol-lab"]),
  ]
)
