internal import NetpolModel

/// A file that kubectl can't apply, because another program makes manifests of it.
public enum ForeignFile: Hashable, Sendable {
  /// `Chart.yaml`, values and templates of a Helm chart. The value is the chart's folder.
  case chart(String)
  /// Values for a Helm chart that is somewhere else. The value is the file.
  case values(String)
  /// `kustomization.yaml`, and the patches that it names. The value is its folder.
  case kustomization(String)

  /// Judges by the path alone. `nil` for any other file.
  public init?(path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = { (depth: Int) in
      let text = parts.dropLast(depth).joined(separator: "/")
      return text.isEmpty ? path.hasPrefix("/") ? "/" : "." : text
    }
    if let templates = parts.dropLast().lastIndex(of: "templates") {
      self = .chart(folder(parts.count - templates))
      return
    }
    switch parts.last {
    case "Chart.yaml": self = .chart(folder(1))
    case "values.yaml", "values.yml": self = .values(path)
    case "kustomization.yaml", "kustomization.yml": self = .kustomization(folder(1))
    default: return nil
    }
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
