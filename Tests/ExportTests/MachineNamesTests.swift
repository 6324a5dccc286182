import NetpolModel
import Path
import Testing

@testable import Export

@Suite("names of machines") struct MachineNamesTests {
  @Test("machines have the cluster's names, or numbers where a name means something to a shell") func names() {
    let pods = [PodID("shop", "web"), PodID("shop", "$(touch x)"), PodID("a.b", "c"), PodID("a", "b.c")]
    let cluster = Cluster(
      nodes: [
        Node(name: "n 1", addresses: [IPAddress(v4: 0xc0a8_140b)], podCIDRs: [CIDR("10.42.0.0/24")].compactMap(\.self))
      ],
      pods: pods.enumerated().map { number, id in
        Pod(id: id, node: "n 1", podIPs: [IPAddress(v4: 0x0a2a_0002 + UInt32(number))])
      })
    let names = MachineNames(Topology(cluster))
    #expect(names[.pod(PodID("shop", "web"))] == "pod-shop.web")
    #expect(names[.pod(PodID("a", "b.c"))] == "pod-a.b.c")
    let all = pods.map { names[.pod($0)] } + [names[.node("n 1")]]
    #expect(Set(all).count == all.count)
    for name in all { #expect(name.isPlain, "\(name)") }
  }
}
