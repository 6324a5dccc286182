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
