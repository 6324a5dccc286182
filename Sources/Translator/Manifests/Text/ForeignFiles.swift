internal import NetpolModel
internal import Text

/// The files of folders that are not manifests but a part of something else, and links that lead nowhere.
public struct ForeignFiles: Sendable {
  private var files: [(file: ForeignFile, path: String)] = []
  private var links: [String] = []

  public init() {}

  public mutating func note(_ file: ForeignFile, _ path: String) { files.append((file, path)) }
  public mutating func note(brokenLink path: String) { links.append(path) }

  public mutating func add(_ others: ForeignFiles) {
    files += others.files
    links += others.links
  }

  /// One note for each kind of file, which says what to run instead.
  public var notes: [Note] {
    let values = files.filter { if case .values = $0.file { true } else { false } }
    let groups = [
      ("Helm chart", charts, "helm template"), ("kustomization", kustomizations, "kubectl kustomize"),
    ]
    var notes: [Note] = []
    for (whole, folders, command) in groups {
      let paths = files.filter { folders.all.contains($0.file) }.map(\.path).sorted()
      if paths.isEmpty { continue }
      let wholes = folders.top.count == 1 ? "a \(whole)" : "\(folders.top.count) \(whole)s"
      let skipped = "skipped \(counted(paths.count, "file")) of \(wholes): \(paths.abridged())"
      notes.append(Note(.note, "\(skipped); \(Self.remedy(folders.top, command))"))
    }
    if let first = values.first {
      let paths = values.map(\.path)
      let skipped = "skipped \(counted(paths.count, "file")) of values for Helm: \(paths.abridged())"
      notes.append(Note(.note, "\(skipped); \(first.file.remedy)"))
    }
    if !links.isEmpty {
      let skipped = "skipped \(counted(links.count, "link that leads", "links that lead")) to no file"
      notes.append(Note(.note, "\(skipped): \(links.abridged())"))
    }
    return notes
  }

  /// Why a folder with nothing but these files can't be read. `nil` if there are none.
  public var obstacle: String? {
    var remedies: [String] = []
    if !charts.top.isEmpty { remedies.append("a Helm chart; \(Self.remedy(charts.top, "helm template"))") }
    if !kustomizations.top.isEmpty {
      remedies.append("a kustomization; \(Self.remedy(kustomizations.top, "kubectl kustomize"))")
    }
    if remedies.isEmpty, let values = files.first { remedies.append("values for Helm; \(values.file.remedy)") }
    if !remedies.isEmpty { return "holds no manifests, but \(remedies.joined(separator: "; or "))" }
    return links.isEmpty ? nil : "holds no manifests, but links that lead to no file: \(links.abridged())"
  }

  private typealias Folders = (all: Set<ForeignFile>, top: [String])

  /// A chart in the folder `charts` of another is rendered with that one.
  private var charts: Folders {
    let found = Set(files.map(\.file)).compactMap { file in
      if case .chart(let folder) = file { folder } else { nil }
    }
    let top = found.filter { folder in !found.contains { folder.hasPrefix("\($0)/charts/") } }
    return (Set(found.map { .chart($0) }), top.sorted())
  }

  public var hasKustomization: Bool { !kustomizations.all.isEmpty }

  private var kustomizations: Folders {
    let found = Set(files.map(\.file)).compactMap { file in
      if case .kustomization(let folder) = file { folder } else { nil }
    }
    return (Set(found.map { .kustomization($0) }), found.sorted())
  }

  private static func remedy(_ folders: [String], _ command: String) -> String {
    if folders.count == 1, let folder = folders.first { return "run \(command) \(folder) | netpol-lab run -f -" }
    return "run \(command) FOLDER | netpol-lab run -f - for one of \(folders.abridged())"
  }
}
