// Not covered: how reports write the rows (DiffProgramTests), and whether they are all there (PolicyDifferenceTests).
import NetpolModel
import PolicyDiff
import TestSupport
import Testing

/// Two namespaces on two nodes, with addresses of both families.
private let pods =
  twoNodesText()
  + [
    ("app/web-0", "node1", "app: web", "10.42.0.10", "fd42::10", ["name: http, containerPort: 8080"]),
    ("app/web-1", "node2", "app: web", "10.42.1.11", "fd42:0:0:1::11", ["name: http, containerPort: 8081"]),
    ("app/db", "node2", "app: db", "10.42.1.12", "fd42:0:0:1::12", ["name: sql, containerPort: 5432"]),
    ("other/job", "node1", "app: job", "10.42.0.20", "fd42::20", []),
  ].map { id, node, labels, v4, v6, ports in
    podText(
      id, on: node, labels: labels, ports: ports, status: "podIP: \(v4), podIPs: [{ip: \(v4)}, {ip: '\(v6)'}]")
  }.joined()

private func db(_ rule: String) -> String {
  policyText("app/db", "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress], ingress: [\(rule)]}")
}

private func job(_ rule: String) -> String {
  policyText("other/job", "{podSelector: {}, policyTypes: [Egress], egress: [\(rule)]}")
}

extension PolicyDifference {
  fileprivate init(_ old: String, _ new: String) throws {
    let read = { try readWorld($0, asStored: true) }
    self.init(try #require(ComparedClusters(old: try read(old), new: try read(new))))
  }

  /// One line for each row: `+ app/web-0 -> app/db TCP/5432 ingress`.
  fileprivate var lines: [String] {
    rows.map { row in
      let directions = Direction.allCases.filter(row.directions.contains).map(\.keyword).joined(separator: ",")
      return "\(row.isOpened ? "+" : "-") \(names(row.senders)) -> \(names(row.destinations)) "
        + "\(ports(row.questions)) \(directions)"
    }
  }

  private func names(_ ends: Bits) -> String {
    var names: [String] = []
    for number in ends.numbers {
      let end = space.ends[number]
      let name = end.outside?.description ?? end.endpoint.description
      if !names.contains(name) { names.append(name) }
    }
    return names.joined(separator: " ")
  }

  private func ports(_ questions: Bits) -> String {
    questions.count == space.questions.count
      ? "everything"
      : questions.numbers.map { number in
        space.ports(number).map { "\($0.transport.rawValue)/\($0.range)" } ?? "ICMP"
      }.joined(separator: " ")
  }
}

@Suite("A changed policy") struct PolicyChangeTests {
  @Test(
    "opens and closes flows between workloads and other addresses",
    arguments: [
      // A port, a range of ports, a named port on one destination and on two.
      (
        db("{ports: [{port: 80}]}"), db("{ports: [{port: 81}]}"),
        ["+ all -> app/db TCP/81 ingress", "- all -> app/db TCP/80 ingress"]
      ),
      (
        db("{ports: [{port: 80, endPort: 90}]}"), db("{ports: [{port: 85, endPort: 95}]}"),
        ["+ all -> app/db TCP/91-95 ingress", "- all -> app/db TCP/80-84 ingress"]
      ),
      (db("{ports: [{port: 5432}]}"), db("{ports: [{port: sql}]}"), []),
      (
        job("{ports: [{port: http}]}"), job("{ports: [{port: 8080}]}"),
        [
          "- other/job -> app/web-1 TCP/8081 egress",
          "+ other/job -> app/db app/web-1 node/node1 node/node2 0.0.0.0/0 ::/0 TCP/8080 egress",
        ]
      ),
      // Selectors count for both families, an ipBlock for one.
      (
        db("{from: [{podSelector: {}}]}"), db("{from: [{podSelector: {matchLabels: {app: db}}}]}"),
        ["- app/web-0 app/web-1 -> app/db everything ingress"]
      ),
      (
        db("{from: [{podSelector: {}}]}"),
        db("{from: [{podSelector: {}}, {ipBlock: {cidr: 'fd42::/64', except: ['fd42::10/128']}}]}"),
        ["+ other/job fd42::/64 except fd42::10/128 -> app/db everything ingress"]
      ),
      // An exception is closed, and what is outside of both blocks stays as it is.
      (
        db("{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}"),
        db("{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [192.168.1.0/24]}}]}"),
        ["- 192.168.1.0/24 -> app/db everything ingress"]
      ),
      // A policy that admits everything adds an isolation that changes nothing.
      ("", db("{}"), []),
      // Both ends open the flow. Neither alone does.
      (
        db("{from: [{podSelector: {}}]}") + job("{to: [{podSelector: {}}]}"),
        db("{from: [{namespaceSelector: {}}], ports: [{port: 5432}]}, {from: [{podSelector: {}}]}")
          + job("{to: [{namespaceSelector: {}}], ports: [{port: 5432}]}"),
        ["+ other/job -> app/web-0 app/web-1 TCP/5432 egress", "+ other/job -> app/db TCP/5432 ingress,egress"]
      ),
    ])
  func rows(old: String, new: String, expected: [String]) throws {
    let difference = try PolicyDifference(pods + old, pods + new)
    let all = "app/web-0 app/web-1 other/job node/node1 0.0.0.0/0 ::/0"
    #expect(
      difference.lines.sorted()
        == expected.map { $0.replacing("+ all", with: "+ \(all)").replacing("- all", with: "- \(all)") }.sorted(),
      "\(difference.lines)")
    for row in difference.rows { #expect(difference.example(of: row) != nil) }
  }

  @Test("without pods is compared on the pods of the other side, whichever it is")
  func policiesAlone() throws {
    let policy = db("{from: [{namespaceSelector: {matchLabels: {team: b}}}]}")
    let labelled = pods + "apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {team: b}}\n---\n"
    for (old, new) in [(labelled + policy, db("")), (db(""), labelled + policy)] {
      let difference = try PolicyDifference(old, new)
      #expect(difference.lines.map { $0.dropFirst(2) } == ["other/job -> app/db everything ingress"])
      #expect(difference.clusters.borrower != nil)
    }
  }

  @Test("of a namespace's labels counts as well")
  func labels() throws {
    let policy = db("{from: [{namespaceSelector: {matchLabels: {team: b}}}]}")
    let namespace = { (team: String) in
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {team: \(team)}}\n---\n"
    }
    let difference = try PolicyDifference(pods + namespace("a") + policy, pods + namespace("b") + policy)
    #expect(difference.lines == ["+ other/job -> app/db everything ingress"])
  }

  @Test("is judged for a pod that one side has, as if the other had it too")
  func lonePod() throws {
    let more = podText("other/new", on: "node1", labels: "app: new", status: "podIP: 10.42.0.30")
    let same = try PolicyDifference(
      pods + db("{from: [{podSelector: {}}]}"), pods + more + db("{from: [{podSelector: {}}]}"))
    #expect(same.lines == [] && same.clusters.lonePods == [.new: [PodID("other", "new")]])
    let other = db("{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: new}}}, {podSelector: {}}]}")
    let opened = try PolicyDifference(pods + db("{from: [{podSelector: {}}]}"), pods + more + other)
    #expect(opened.lines == ["+ other/new -> app/db everything ingress"])
  }

  @Test("by which an ipBlock admits pods has a price: the pods that no selector admits")
  func price() throws {
    let old = db("{from: [{podSelector: {}}]}")
    let new = db(
      "{from: [{podSelector: {}}, {ipBlock: {cidr: 10.42.0.0/16}}], ports: [{port: sql}]}, {from: [{podSelector: {}}]}")
    let difference = try PolicyDifference(pods + old, pods + new)
    let price = try #require(difference.prices.first)
    #expect(difference.prices.count == 1)
    #expect(price.policy == PolicyID("app", "db") && price.direction == .ingress)
    #expect(price.admitted.numbers.map { difference.space.ends[$0].endpoint } == [.pod(PodID("other", "job"))])
    #expect(price.subjects.numbers.map { difference.space.ends[$0].endpoint } == [.pod(PodID("app", "db"))])
    // The other way round it is a saving.
    #expect(try PolicyDifference(pods + new, pods + old).prices == [])
  }

  @Test("that only one end admits is no row, and is told")
  func oneSided() throws {
    let closed = db("{from: [{podSelector: {}}]}")
    let difference = try PolicyDifference(
      pods + closed + job("{to: [{podSelector: {}}]}"),
      pods + closed + job("{to: [{podSelector: {}}, {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}]}"))
    #expect(difference.rows == [])
    #expect(
      difference.oneSided.mapValues { $0.numbers.map { difference.space.ends[$0].endpoint.description }.first }
        == [.egress: "other/job"])
  }

  @Test("needs a pod on one side")
  func noPods() throws {
    #expect(ComparedClusters(old: try readWorld(db("")), new: try readWorld(db("{}"))) == nil)
  }
}
