package import Foundation

package let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
  .standardized

/// Folders and files that a variable of the environment names, with `:` between them.
package func named(by variable: String) -> [URL] {
  ProcessInfo.processInfo.environment[variable]?.split(separator: ":").map {
    URL(fileURLWithPath: String($0)).standardized
  } ?? []
}

/// Dumps of real nodes, a folder for each case (its README.md).
package let goldenFolder = repository.appendingPathComponent("Tests/Fixtures/golden")
