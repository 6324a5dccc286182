internal import NetpolModel

/// The named container ports of some pods, collected the way kube-router does it.
///
/// Each (name, protocol, number) is a key with an address list. Keys first seen on the same pod share that pod's list.
/// A later pod is appended to the list of every key that it has, so it also gets into the sets of keys that it does not
/// expose (D16). Ports of sidecars are not read: `grabNamedPortFromPod` of its policy.go walks `spec.containers` (D23).
struct NamedPorts {
  struct Key: Hashable, Comparable {
    let name: String
    let transport: Transport
    let number: UInt16

    static func < (a: Self, b: Self) -> Bool { (a.name, a.transport, a.number) < (b.name, b.transport, b.number) }
  }

  private var listOf: [Key: Int] = [:]
  private var lists: [[Pod]] = []
  private var numbers: [PortName: [UInt16]] = [:]

  private struct PortName: Hashable {
    let name: String
    let transport: Transport
  }

  init(of pods: [Pod]) {
    for pod in pods {
      var own: Int?
      for key in Self.keys(of: pod) {
        if let list = listOf[key] {
          lists[list].append(pod)
        } else {
          if own == nil {
            own = lists.count
            lists.append([pod])
          }
          listOf[key] = own
          numbers[PortName(name: key.name, transport: key.transport), default: []].append(key.number)
        }
      }
    }
  }

  /// The named ports of a pod, in its order.
  static func keys(of pod: Pod) -> [Key] {
    pod.ports.filter { !$0.isOfSidecar }.compactMap { port in
      port.name.map { Key(name: $0, transport: port.transport, number: port.number) }
    }
  }

  /// All keys, each once, sorted.
  var keys: [Key] { listOf.keys.sorted() }

  /// Returns the distinct port numbers under the name, in ascending order. kube-router's own order is that of a Go map.
  func resolve(_ name: String, _ transport: Transport) -> [(number: UInt16, pods: [Pod])] {
    (numbers[PortName(name: name, transport: transport)] ?? []).sorted().map { number in
      (number, listOf[Key(name: name, transport: transport, number: number)].map { lists[$0] } ?? [])
    }
  }
}
