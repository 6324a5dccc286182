import Foundation
import Manifests
import NetpolModel

/// The files below a directory: manifests, and what needs another program first.
struct ManifestFolder {
  let root: String
  /// Sorted by path.
  private(set) var manifests: [String] = []
  var foreign = ForeignFiles()
  /// The chart of which the directory itself holds templates.
  private let surroundingChart: String?
  /// Files and folders that a kustomization uses, without `.` and `..`, and its folder.
  private var parts: [String: String] = [:]

  init(_ root: String) {
    self.root = root
    surroundingChart = Self.chart(around: root)
  }

  /// Lists the files. Skips hidden entries. Follows links to files, but not links to directories (like `kubectl -R`), so
  /// that a loop of links can't make it run forever. Throws `InputFileError` for a directory that can't be listed.
  mutating func list() throws(InputFileError) {
    // Each directory, and the chart if it holds its templates.
    var pending: [(path: String, chart: String?)] = [(root, nil)]
    while let (directory, chart) = pending.popLast() {
      let entries: [String]
      do {
        entries = try FileManager.default.contentsOfDirectory(atPath: directory)
      } catch {
        throw InputFileError(path: directory, problem: "can't be listed; check its permissions")
      }
      let isChart = entries.contains("Chart.yaml")
      for entry in entries where !entry.hasPrefix(".") {
        let path = directory.hasSuffix("/") ? directory + entry : "\(directory)/\(entry)"
        switch Self.type(of: path) {
        case .typeDirectory:
          pending.append((path, chart ?? (isChart && entry == "templates" ? Self.shown(directory) : nil)))
        case .typeRegular where Self.isManifest(entry): sort(path, entry, directory, isChart: isChart, template: chart)
        case .typeSymbolicLink where Self.isManifest(entry):
          // Pipes and sockets could make a reader wait forever.
          let target = Self.type(of: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
          if target == .typeDirectory { continue }
          if target == .typeRegular {
            sort(path, entry, directory, isChart: isChart, template: chart)
          } else {
            foreign.note(brokenLink: path)
          }
        default: continue
        }
      }
    }
    manifests.sort()
  }

  private mutating func sort(_ path: String, _ name: String, _ directory: String, isChart: Bool, template: String?) {
    let folder = Self.shown(directory)
    if let template {
      foreign.note(.chart(template), path)
    } else if isChart, name == "Chart.yaml" || name.hasPrefix("values") {
      foreign.note(.chart(folder), path)
    } else if name == "kustomization.yaml" || name == "kustomization.yml" {
      foreign.note(.kustomization(folder), path)
      let text = FileManager.default.contents(atPath: path).flatMap { String(bytes: $0, encoding: .utf8) } ?? ""
      for part in kustomizationParts(ManifestSource(name: path, text: text)) {
        parts[Self.standard("\(directory)/\(part)")] = folder
      }
    } else {
      manifests.append(path)
    }
  }

  /// What the file is if it's not a manifest: a part of a kustomization, values, or a template.
  func foreignFile(_ source: ManifestSource) -> ForeignFile? {
    if !parts.isEmpty {
      var path = Self.standard(source.name)
      while !path.isEmpty {
        if let folder = parts[path] { return .kustomization(folder) }
        path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
      }
    }
    if let surroundingChart, source.text.contains("{{") { return .chart(surroundingChart) }
    let file = ForeignFile(path: source.name)
    if case .values = file, !source.mayHoldObjects { return file }
    return nil
  }

  /// The path without a slash at its end, for messages.
  private static func shown(_ directory: String) -> String {
    directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
  }

  private static func standard(_ path: String) -> String { URL(fileURLWithPath: path).standardized.path }

  /// The folder of the chart whose templates are in a directory. `nil` if there is none.
  private static func chart(around directory: String) -> String? {
    let parts = standard(directory).split(separator: "/").map(String.init)
    guard let index = parts.lastIndex(of: "templates") else { return nil }
    let chart = "/\(parts[..<index].joined(separator: "/"))"
    guard FileManager.default.fileExists(atPath: "\(chart)/Chart.yaml") else { return nil }
    let given = shown(directory).split(separator: "/").map(String.init)
    let depth = parts.count - index
    if given.count > depth, !given.contains(".."), !given.contains("."), !directory.hasPrefix("/") {
      return given.dropLast(depth).joined(separator: "/")
    }
    return chart
  }

  private static let extensions: Set<String> = ["yaml", "yml", "json"]

  private static func isManifest(_ name: String) -> Bool {
    extensions.contains(name.split(separator: ".").last?.lowercased() ?? "")
  }

  /// The type of the entry itself, not of a link's target.
  static func type(of path: String) -> FileAttributeType? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
  }
}

extension ManifestSource {
  /// Whether a line begins with `apiVersion` and one with `kind`, as in an API object.
  fileprivate var mayHoldObjects: Bool {
    let lines = text.split(whereSeparator: \.isNewline)
    return ["apiVersion:", "kind:"].allSatisfy { key in lines.contains { $0.hasPrefix(key) } }
  }
}
