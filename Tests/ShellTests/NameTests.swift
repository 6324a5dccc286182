// Not covered: what glibc makes of the files. ProgramTests asks getent.
import NetpolModel
import Testing

@testable import Shell

@Suite("names in a pod") struct NameTests {
  private static let cluster: Cluster = {
    let address = { (last: UInt32) in IPAddress(v4: 0x0a2a_0000 + last) }
    var pods = [("shop", "web", 2), ("shop", "db", 3), ("ops", "web", 4), ("shop", "$(x) y", 5)].map {
      Pod(id: PodID($0.0, $0.1), node: "n1", podIPs: [address($0.2)])
    }
    pods[0].owner = Pod.Workload(kind: "StatefulSet", name: "web")
    var headless = Service(id: NamespacedName("shop", "all"), ports: [])
    headless.clusterIPs = []
    var db = Service(id: NamespacedName("shop", "db"), ports: [])
    db.clusterIPs = [IPAddress(v4: 0x0a2b_0050)]
    var dns = Service(id: NamespacedName("kube-system", "kube-dns"), ports: [])
    dns.clusterIPs = [IPAddress(v4: 0x0a2b_000a)]
    var cluster = Cluster(
      nodes: [Node(name: "n1", addresses: [IPAddress(v4: 0xc0a8_140b)], podCIDRs: [])], pods: pods,
      services: [headless, db, dns])
    cluster.endpointSlices = [
      EndpointSlice(
        id: NamespacedName("shop", "all"), service: "all", family: .v4, ports: [],
        members: [.init(address(2), pod: PodID("shop", "web")), .init(address(3), pod: PodID("shop", "db"))])
    ]
    return cluster
  }()

  private static let table = ClusterNamesTable(cluster)

  private func lines(_ namespace: String?) -> Set<String> {
    let text = Self.table.hostsText(namespace: namespace, ownName: "web", ownAddresses: [IPAddress(v4: 0x0a2a_0002)])
    return Set(text.split(separator: "\n").map(String.init))
  }

  @Test("a Service has its ClusterIP, and is known by its name alone in its own namespace") func service() {
    let long = "10.43.0.80\tdb.shop.svc.cluster.local db.shop.svc db.shop"
    #expect(lines("shop").contains("\(long) db"))
    #expect(lines("ops").contains(long))
    #expect(lines(nil).contains(long))
  }

  @Test("a headless Service has the addresses of all its pods, and a StatefulSet's pods have names in it")
  func headless() {
    #expect(lines(nil).contains("10.42.0.2\tweb.all.shop.svc.cluster.local web.all.shop.svc web.all.shop"))
    for last in [2, 3] {
      #expect(lines("ops").contains("10.42.0.\(last)\tall.shop.svc.cluster.local all.shop.svc all.shop"))
    }
  }

  @Test("a pod's name counts after a Service's") func pods() {
    #expect(lines("shop").contains("10.42.0.2\tweb.shop.pod.cluster.local web.shop.pod web.shop web"))
    #expect(lines("shop").contains("10.42.0.3\tdb.shop.pod.cluster.local db.shop.pod"))
  }

  @Test("a name that is no host name stands in no file") func hostile() {
    #expect(!lines("shop").contains { $0.contains("$(x)") || $0.hasPrefix("10.42.0.5\t") })
    #expect(!Self.table.resolverText(namespace: "a b\nnameserver 1.1.1.1").contains("1.1.1.1"))
  }

  @Test("the search list is that of a pod, and the server the cluster's") func resolver() {
    let text = Self.table.resolverText(namespace: "shop")
    #expect(text.hasPrefix("search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.43.0.10\n"))
    #expect(!Self.table.resolverText(namespace: nil).contains("search"))
  }

  @Test("hosts come from files and DNS, and nothing else of the machine's switch changes") func nameSwitch() {
    #expect(
      ClusterNamesTable.switchText("passwd: files sss\nhosts: resolve [!UNAVAIL=return] files\n")
        == "passwd: files sss\nhosts: files dns\n")
    #expect(ClusterNamesTable.switchText(nil) == "hosts: files dns\n")
  }

  private static func query(_ name: String, _ type: UInt8) -> [UInt8] {
    let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    return [7, 8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, type, 0, 1]
  }

  @Test("a name server answers with the addresses of a name, or that there is none") func answers() throws {
    let answer = { (name: String, type: UInt8) in
      try #require(NameAnswer.answer(to: Self.query(name, type), Self.table.addresses(of:)))
    }
    let found = try answer("ALL.shop.svc.cluster.local", 1)
    #expect(found[..<8] == [7, 8, 0x85, 0, 0, 1, 0, 2] && found.suffix(4) == [10, 42, 0, 3])
    #expect(try answer("db.shop.svc.cluster.local", 28)[3...7] == [0, 0, 1, 0, 0])
    #expect(try answer("nobody.shop.svc.cluster.local", 1)[3] == 3)
    #expect(try answer("db", 1)[3] == 3)
  }

  @Test("no datagram makes a name server fail") func garbage() {
    let query = Self.query("db.shop.svc.cluster.local", 1)
    for length in 0...query.count { _ = NameAnswer.answer(to: Array(query[..<length]), Self.table.addresses(of:)) }
    for place in query.indices {
      for byte: UInt8 in [0, 1, 63, 64, 192, 255] {
        var other = query
        other[place] = byte
        _ = NameAnswer.answer(to: other, Self.table.addresses(of:))
      }
    }
    #expect(NameAnswer.answer(to: [], Self.table.addresses(of:)) == nil)
  }
}
