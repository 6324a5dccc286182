/// A step of a lab, for whoever waits for it.
public enum LabProgress: Sendable {
  case building(namespaces: Int)
  case checking
  case loading(nodes: Int)
  case probing(done: Int, of: Int)
}
