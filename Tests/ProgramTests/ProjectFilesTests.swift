// Not covered: whether a hosted runner can run the workflow.
import Foundation
import Kernel
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

  /// Commands whose answer a page quotes, with the page. Lines may be left out of the quote.
  @Test(
    "an answer that a page quotes is what the program prints", .needsNamespaces,
    arguments: [
      ("README.md", "explain -f examples/nodeport external/office node/node2:30080"),
      ("docs/explain.md", "explain -f examples/codes/NPL-304.yaml ops/web shop/db:5432"),
      ("docs/run.md", "run -f examples/nodeport --from external/office --to node/node2 --port 30080"),
      ("docs/run.md", "run -f examples/homelab --from media/jellyseerr-0 --to media/jellyfin-0 --port 8096"),
      ("docs/run.md", "run -f examples/homelab-podselector --port 8080"),
      ("docs/diff.md", "diff examples/pod-cidr/cluster.yaml examples/pod-cidr/workaround.yaml"),
      ("docs/compare.md", "compare --golden Tests/Fixtures/golden"),
      ("docs/lint.md", "lint -f examples/codes/NPL-316.yaml --patch --prove"),
    ])
  func quoted(path: String, command: String) async throws {
    let blocks = try Self.text(path).components(separatedBy: "```\n$ netpol-lab \(command)\n")
    let quote = try #require(blocks.dropFirst().first?.components(separatedBy: "```").first)
    // Versions and times differ from run to run.
    let lines = quote.split(separator: "\n").filter { line in
      !["netpol-lab 0", "  nftables v", "Built in", "198 flows", "..."].contains { line.hasPrefix($0) }
    }
    #expect(!lines.isEmpty)
    let result = try await Program.start(
      ["sh", "-c", "cd \"$0\" && exec \"$@\"", repository.path, Program.path]
        + command.split(separator: " ").map(String.init))
    var printed = result.text.split(separator: "\n")[...]
    for line in lines {
      let place = try #require(
        printed.firstIndex(of: line), "not printed, or not in this order: \(line)\n\(result.text)")
      printed = printed[(place + 1)...]
    }
  }
}
