package import Foundation

package let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
  .standardized

/// The folders and files in an environment variable, separated by `:`.
package func named(by variable: String) -> [URL] {
  ProcessInfo.processInfo.environment[variable]?.split(separator: ":").map {
    URL(fileURLWithPath: String($0)).standardized
  } ?? []
}

/// Dumps of real nodes, one folder per case (see its README.md).
package let goldenFolder = repository.appendingPathComponent("Tests/Fixtures/golden")

/// The paths of an example's manifests, without those that its Expectations documents add to variants.
package func exampleManifests(_ name: String) -> [String] {
  let folder = repository.appendingPathComponent("examples/\(name)").standardized
  let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
  let manifests = (files ?? []).filter { $0.pathExtension == "yaml" && !$0.pathComponents.contains("variants") }
  return manifests.map(\.path).sorted()
}
