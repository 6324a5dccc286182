import NetpolModel
import Testing

@testable import Documents
@testable import Report

@Suite("Bundles of flows") struct FlowBundleTests {
  @Test("flows are bundled by ports, sources and destinations, each once") func bundles() {
    typealias Bundle = FlowBundle<Endpoint>
    let pods = (0..<3).map { Endpoint.pod(PodID("app", "p\($0)")) }
    let port = { Flow.Question.port(TransportPort(.tcp, $0)) }
    var members: [Bundle.Member] = []
    for from in pods {
      for to in pods where from != to {
        members += [80, 443].map { Bundle.Member(from: from, to: to, port: port($0)) }
      }
    }
    members.append(Bundle.Member(from: pods[0], to: .node("n"), port: .echo))
    let bundles = Bundle.bundles(members + members)
    #expect(bundles.map(\.count).reduce(0, +) == members.count)
    #expect(bundles.last?.endsText == "app/p0 -> node/n" && bundles.last?.portsText == "ICMP")
    #expect(Bundle.bundles([]).isEmpty)
  }

  @Test("a bundle of most ports names the missing ones") func ports() {
    let ports = (1...6).map { Flow.Question.port(TransportPort(.tcp, $0)) }
    let bundle = FlowBundle<Endpoint>(sources: [.node("a")], destinations: [.node("b")], ports: Array(ports.prefix(5)))
    #expect(bundle.portsText(of: Set(ports)) == "all 6 ports but TCP 6")
    #expect(bundle.portsText(of: Set(ports.prefix(5))) == "all 5 ports")
    #expect(bundle.portsText(of: []) == "TCP 1 2 3 4 5")
  }
}
