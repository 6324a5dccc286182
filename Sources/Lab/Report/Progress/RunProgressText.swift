public import Run
public import StandingLab
internal import Text

extension ClusterRun.Progress {
  /// One line.
  public var text: String {
    switch self {
    case .lab(let step): step.text
    case .comparing: "comparing the engines"
    case .lowering: "working out the rules of every node"
    case .judging(let done, let all, let left):
      "judging all flows: \(done * 100 / max(all, 1)) %" + (left.map { ", about \(roughText($0)) left" } ?? "")
    case .planning: "planning the expectations"
    case .expecting(let stage, let all): "expectations: cluster \(stage) of \(all)"
    }
  }
}

extension LabProgress {
  /// One line.
  public var text: String {
    switch self {
    case .building(let namespaces): "building \(counted(namespaces, "namespace"))"
    case .checking: "checking the lab itself"
    case .loading(let nodes): "loading the rules of \(counted(nodes, "node"))"
    case .probing(let done, let all): "probing \(counted(all, "flow")): \(done * 100 / max(all, 1)) %"
    }
  }
}
