/// A step of a lab, for progress output.
public enum LabProgress: Sendable {
  case building(namespaces: Int)
  case checking
  case loading(nodes: Int)
  case probing(done: Int, of: Int)
}
