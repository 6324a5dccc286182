public import Run
public import StandingLab

extension ClusterRun.Progress {
  /// One line.
  public var text: String {
    switch self {
    case .lab(let step): step.text
    case .comparing: "comparing"
    case .planning: "reading the expectations"
    case .expecting(let stage, let all): "expectations: cluster \(stage) of \(all)"
    }
  }
}

extension LabProgress {
  /// One line.
  public var text: String {
    switch self {
    case .building(let namespaces): "building \(namespaces) namespaces"
    case .checking: "checking the lab itself"
    case .loading(let nodes): "loading the rules of \(nodes) nodes"
    case .probing(let done, let all): "probing \(all) flows: \(done * 100 / max(all, 1)) %"
    }
  }
}
