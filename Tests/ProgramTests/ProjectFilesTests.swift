// Not covered: whether a hosted runner can run the workflow.
import Foundation
import TestSupport
import Testing
import Yams

/// Every file of the repository, without hidden folders other than `.github`.
private let files: [String] = {
  let all = FileManager.default.enumerator(atPath: repository.path)?.compactMap { $0 as? String } ?? []
  return all.filter { path in
    path.split(separator: "/").allSatisfy { !$0.hasPrefix(".") || $0 == ".github" }
  }.sorted()
}()

@Suite("Files around the program") struct ProjectFilesTests {
  private static func text(_ path: String) throws -> String {
    try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
  }

  @Test("the README fits a hundred lines of 120 columns") func readme() throws {
    let lines = try Self.text("README.md").split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count <= 101)
    #expect(lines.filter { $0.count > 120 } == [])
  }

  @Test(
    "workflows and templates are valid YAML",
    arguments: files.filter { $0.hasPrefix(".github/") && $0.hasSuffix(".yml") })
  func yaml(path: String) throws {
    let root = try #require(try Yams.compose(yaml: try Self.text(path)), "\(path)")
    #expect(root.mapping != nil)
  }

  @Test("a link in a page leads to a file", arguments: files.filter { $0.hasSuffix(".md") })
  func links(path: String) throws {
    let directory = repository.appendingPathComponent(path).deletingLastPathComponent()
    for match in try Self.text(path).matches(of: #/\]\(([^)\s]+)\)/#) {
      let target = String(match.1).split(separator: "#", omittingEmptySubsequences: false)[0]
      if target.isEmpty || target.contains("://") { continue }
      #expect(
        FileManager.default.fileExists(atPath: directory.appendingPathComponent(String(target)).path),
        "\(path): \(match.1)")
    }
  }
}
