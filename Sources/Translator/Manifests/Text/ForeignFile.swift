internal import NetpolModel

/// A file that kubectl can't apply, because another program makes manifests of it.
public enum ForeignFile: Hashable, Sendable {
  /// `Chart.yaml`, values and templates of a Helm chart. The value is the chart's folder.
  case chart(String)
  /// Values for a Helm chart that is somewhere else. The value is the file.
  case values(String)
  /// `kustomization.yaml`, and the patches that it names. The value is its folder.
  case kustomization(String)

  /// Judges by the file's name alone. `nil` for any other file.
  public init?(path: String) {
    switch path.split(separator: "/").last {
    case "Chart.yaml": self = .chart(Self.folder(path, above: 1))
    case "values.yaml", "values.yml": self = .values(path)
    case "kustomization.yaml", "kustomization.yml": self = .kustomization(Self.folder(path, above: 1))
    default: return nil
    }
  }

  /// The chart to which a file with template actions belongs: the one that holds the folder `templates`. `nil` if the
  /// file is in no folder of that name.
  init?(template path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard let templates = parts.dropLast().lastIndex(of: "templates") else { return nil }
    self = .chart(Self.folder(path, above: parts.count - templates))
  }

  /// The path without its last components.
  private static func folder(_ path: String, above count: Int) -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast(count)
    let text = parts.joined(separator: "/")
    return text.isEmpty ? path.hasPrefix("/") ? "/" : "." : text
  }

  /// What to run instead.
  public var remedy: String {
    switch self {
    case .chart(let folder): "run helm template \(folder) | netpol-lab run -f -"
    case .values(let path): "run helm template CHART -f \(path) | netpol-lab run -f -"
    case .kustomization(let folder): "run kubectl kustomize \(folder) | netpol-lab run -f -"
    }
  }
}
