internal import NetpolModel

/// The named container ports of some pods as kube-router collects them.
///
/// Each (name, protocol, number) has an address list. Keys first seen on one pod share that pod's list, and a later pod
/// is appended to the list of every key it has: so it lands in the sets of keys that it does not expose.
struct NamedPorts {
  struct Key: Hashable {
    let name: String
    let transport: Transport
    let number: UInt16
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
      for port in pod.ports {
        guard let name = port.name else { continue }
        let key = Key(name: name, transport: port.transport, number: port.number)
        if let list = listOf[key] {
          lists[list].append(pod)
        } else {
          if own == nil {
            own = lists.count
            lists.append([pod])
          }
          listOf[key] = own
          numbers[PortName(name: name, transport: port.transport), default: []].append(port.number)
        }
      }
    }
  }

  /// Distinct numbers under the name, ascending: kube-router's own order is that of a Go map.
  func resolve(_ name: String, _ transport: Transport) -> [(number: UInt16, pods: [Pod])] {
    (numbers[PortName(name: name, transport: transport)] ?? []).sorted().map { number in
      (number, listOf[Key(name: name, transport: transport, number: number)].map { lists[$0] } ?? [])
    }
  }
}
