// Not covered: what the loaded rules do to packets.
import Dumps
import Foundation
import Kernel
import Lowering
import NetpolModel
import Rendering
import RuleIR
import ServiceProxy
import TestSupport
import Testing

@testable import Apply

/// Web servers and a client, with a policy that uses everything kube-router has rules for.
let policedWebs =
  webAndClient + secondWeb + """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: both}
    spec:
      podSelector: {matchLabels: {app: web}}
      policyTypes: [Ingress, Egress]
      ingress:
      - from: [{podSelector: {matchLabels: {app: client}}}]
        ports: [{port: http}, {protocol: UDP, port: 53, endPort: 60}]
      - from: [{ipBlock: {cidr: 192.168.0.0/16, except: [192.168.1.0/24]}}]
      - from: [{ipBlock: {cidr: 'fd00:9::/32', except: ['fd00:9:1::/48']}}]
      - from: [{podSelector: {matchLabels: {app: web}}}]
        ports: [{port: 443}]
    ---

    """

/// A policy that needs the compiled style's other sets.
private let wide = """
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {namespace: app, name: wide}
  spec:
    podSelector: {}
    policyTypes: [Egress]
    egress:
    - to: [{podSelector: {}}]
      ports: [{port: 1000, endPort: 2000}, {protocol: SCTP}, {port: 80}]
    - to: [{podSelector: {matchLabels: {app: web}}}]
    - to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.2.3/32, 10.1.2.4/32]}}, {ipBlock: {cidr: 10.1.2.4/30}}]
      ports: [{protocol: UDP, port: 53}]
    - to: [{ipBlock: {cidr: 'fd00::/8', except: ['fd00::1/128']}}]
      ports: [{protocol: TCP, port: 443}]
    - to: [{ipBlock: {cidr: 10.9.0.0/16}}, {ipBlock: {cidr: 'fe00::/9'}}]
    - ports: [{protocol: UDP, port: 30000, endPort: 40000}]
  ---

  """

/// A load balancer, a NodePort with traffic policy Local, and a service without endpoints.
private let services = """
  apiVersion: v1
  kind: Service
  metadata: {namespace: app, name: web}
  spec:
    type: LoadBalancer
    ipFamilyPolicy: RequireDualStack
    clusterIPs: [10.43.0.80, 'fd00:43::80']
    selector: {app: web}
    loadBalancerSourceRanges: [192.168.20.0/24, 10.0.0.1/32, 'fd00:20::/64']
    ports: [{name: http, port: 80, nodePort: 30080}, {name: dns, port: 53, protocol: UDP, nodePort: 30053}]
  status: {loadBalancer: {ingress: [{ip: 192.168.20.200}]}}
  ---
  apiVersion: v1
  kind: Service
  metadata: {namespace: app, name: near}
  spec:
    type: NodePort
    clusterIP: 10.43.0.81
    externalTrafficPolicy: Local
    internalTrafficPolicy: Local
    selector: {app: web}
    ports: [{port: 80, nodePort: 30081}]
  ---
  apiVersion: v1
  kind: Service
  metadata: {namespace: app, name: none}
  spec: {type: NodePort, clusterIP: 10.43.0.82, selector: {app: none}, ports: [{port: 80, nodePort: 30082}]}
  ---

  """

private let dualStack = """
  apiVersion: netpol-lab/v1alpha1
  kind: Cluster
  nodes:
  - {name: node1, addresses: [192.168.20.11, 'fd00:20::11'], podCIDRs: [10.42.0.0/24, 'fd00:42::/64']}
  - {name: node2, addresses: [192.168.20.12, 'fd00:20::12'], podCIDRs: [10.42.1.0/24, 'fd00:42:0:1::/64']}

  """

@Suite("nf_tables over netlink", .serialized, .needsNamespaces)
struct NftMessagesTests {
  private let worker: NamespaceWorker

  init() throws { worker = try NamespaceWorker() }

  /// The ruleset as nft lists it. With `debug`, the expressions and elements as the kernel has them, with nft's notes.
  private func listing(_ namespace: NetworkNamespace, debug: Bool = false) throws -> [String] {
    let arguments = ["nft"] + (debug ? ["--debug=netlink"] : []) + ["--stateless", "list", "ruleset"]
    let text = Self.sortingElements(try Command(arguments).run(in: namespace, on: worker).requireSuccess().text)
    // A hash table of the kernel has no order of its own, so consecutive elements are sorted.
    var lines: [String] = []
    var elements: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("\telement ") {
        elements.append(line)
      } else {
        lines += elements.sorted() + [line]
        elements = []
      }
    }
    return lines + elements.sorted()
  }

  /// Sorts the elements of lists. nft itself sorts concatenated keys by their last field only.
  private static func sortingElements(_ text: String) -> String {
    var result = ""
    var rest = Substring(text)
    while let start = rest.firstRange(of: "elements = { "), let end = rest[start.upperBound...].firstIndex(of: "}") {
      let elements = rest[start.upperBound..<end].split { $0 == "," || $0.isNewline }
        .map { $0.drop(while: \.isWhitespace) }.filter { !$0.isEmpty }.map { $0.last == " " ? $0.dropLast() : $0 }
      result += rest[..<start.upperBound] + elements.sorted().joined(separator: ", ")
      rest = rest[end...]
    }
    return result + rest
  }

  private func expectSame(_ ruleset: Ruleset, _ location: Testing.SourceLocation = #_sourceLocation) throws {
    let byText = try worker.makeNamespace()
    try Command(["nft", "-f", "-"], input: Array(try nftText(ruleset).utf8)).run(in: byText, on: worker)
      .requireSuccess()
    let byMessages = try worker.makeNamespace()
    try loadNftables(ruleset, in: byMessages, on: worker)
    for debug in [false, true] {
      let (expected, loaded) = (try listing(byText, debug: debug), try listing(byMessages, debug: debug))
      #expect(expected.count > 3 && loaded.count == expected.count, sourceLocation: location)
      for (line, want) in zip(loaded, expected) { #expect(line == want, sourceLocation: location) }
    }
  }

  @Test("kube-router's rules are listed the same as after nft -f", arguments: ["", dualStack], ["node1", "node2"])
  func kubeRouter(families: String, node: String) throws {
    let cluster = try readWorld(policedWebs + families)
    let view = NodeView(of: try #require(cluster.node(node)), in: cluster)
    try expectSame(EnforcementStyle.kubeRouterNftables.lower(view).ruleset)
  }

  @Test(
    "kube-proxy's tables are listed the same as after nft -f, and read back as they were written",
    arguments: KubeProxyRelease.allCases, ProxyView.EndpointChoice.allCases)
  func kubeProxy(release: KubeProxyRelease, choice: ProxyView.EndpointChoice) throws {
    var cluster = try readWorld(policedWebs + services + dualStack)
    for networks in [[], try ["0.0.0.0/0", "::/0"].map(network)] {
      cluster.settings.kubeProxy.mode = .nftables(release)
      cluster.settings.kubeProxy.nodePortAddresses = networks
      let view = ProxyView(
        of: try #require(cluster.node("node1")), in: cluster,
        clusterCIDRs: try ["10.42.0.0/16", "fd00:42::/32"].map(network), endpointChoice: choice)
      let rules = kubeProxyNftables(view, release)
      #expect(rules.keyedSets.contains { $0.elements.count > 2 })
      try expectSame(rules)
      let namespace = try worker.makeNamespace()
      try loadNftables(rules, in: namespace, on: worker)
      for json in [false, true] {
        let text = try Command(["nft"] + (json ? ["-j"] : []) + ["list", "ruleset"]).run(in: namespace, on: worker)
          .requireSuccess().text
        let dump =
          json
          ? try readNftJSON(text, file: "nft", required: { _ in true })
          : try readNftList(text, file: "nft", required: { _ in true })
        #expect(dump.foreign.isEmpty)
        for table in rules.tables {
          let read = try #require(dump.tables.first { $0.family == table.family })
          for chain in table.chains { #expect(read.chain(chain.name)?.rules == chain.rules, "\(chain.name)") }
        }
        let inOrder = { (sets: [KeyedSet]) in
          Dictionary(grouping: sets.map(\.inOrder), by: { "\($0.family) \($0.name)" })
        }
        #expect(inOrder(dump.keyedSets) == inOrder(rules.keyedSets))
        #expect(
          Set(dump.sets.map { "\($0.family) \($0.name) \($0.stored)" })
            == Set(rules.sets.map { "\($0.family) \($0.name) \($0.stored)" }))
      }
    }
  }

  @Test("the compiled style's rules are listed the same as after nft -f", arguments: ["", dualStack], [false, true])
  func compiled(families: String, defaultDeny: Bool) throws {
    var cluster = try readWorld(policedWebs + wide + families)
    cluster.settings.defaultDeny = defaultDeny
    let ruleset = EnforcementStyle.compiled.lower(NodeView(of: try #require(cluster.node("node1")), in: cluster))
      .ruleset
    let empty = ruleset.keyedSets.filter { $0.elements.isEmpty }.map(\.name)
    // `ea` and `ia` are for groups with thousands of pairs.
    #expect(Set(empty).isSubset(of: ["ea", "ia", "io", "iw"]))
    try expectSame(ruleset)
  }

  @Test("changes in one transaction give the same result as loading the target", arguments: ["", dualStack])
  func changes(families: String) throws {
    let cluster = try readWorld(policedWebs + wide + families)
    let lowered = { (policies: [NetworkPolicy], pods: [Pod], defaultDeny: Bool) throws -> Ruleset in
      var other = cluster
      other.policies = policies
      other.pods = pods
      other.settings.defaultDeny = defaultDeny
      return EnforcementStyle.compiled.lower(NodeView(of: try #require(other.node("node1")), in: other)).ruleset
    }
    var narrower = cluster.policies
    narrower[0].ingress.removeFirst()
    let rulesets = [
      try lowered([], cluster.pods, false), try lowered(cluster.policies, cluster.pods, false),
      try lowered(narrower, cluster.pods, false), try lowered(cluster.policies, Array(cluster.pods.dropLast()), false),
      try lowered(cluster.policies, cluster.pods, true), try lowered(narrower, Array(cluster.pods.dropFirst()), true),
    ]
    let loader = try RuleLoader(worker: worker)
    let namespace = try worker.makeNamespace()
    var last = rulesets[0]
    try loader.load(last, in: namespace)
    for (number, target) in ([1, 0, 2, 1, 3, 4, 5, 4, 0, 5] as [Int]).map({ ($0, rulesets[$0]) }) {
      #expect(last.changes(to: target).replaced.isEmpty)
      last = try loader.replace(last, with: target, in: namespace)
      let whole = try worker.makeNamespace()
      try loader.load(target, in: whole)
      // Chains and sets are listed in the order in which they were added.
      #expect(try listing(namespace).sorted() == listing(whole).sorted(), "\(number)")
    }
  }

  private func network(_ text: String) throws -> CIDR {
    let parts = text.split(separator: "/")
    let address = try #require(IPAddress(String(parts[0])))
    return CIDR(address, prefixLength: parts.count > 1 ? try #require(Int(parts[1])) : address.family.bitWidth)
  }

  private func members(_ texts: [String]) throws -> [NamedSet.Member] { try texts.map { .init(try network($0)) } }

  /// Every match and statement that nft can express, in one family.
  private func everything(_ family: IPFamily) throws -> Ruleset {
    let v4 = family == .v4
    let networks =
      v4
      ? [
        "10.0.0.1", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.16.0.0/12", "0.0.0.0/0", "128.0.0.0/1",
        "10.1.2.4/31",
      ]
      : ["fd00::1", "fd00::/64", "fd00::/40", "fd00::/60", "::/0", "8000::/1", "fd00::/120", "fd00::2/127"]
    var matches: [Match] = []
    for side in Side.allCases {
      matches += try networks.map { .address(side, try network($0)) }
      matches += [.local(side), .inSet(side, "single"), .inSet(side, "ranges", negated: true), .inSet(side, "ranges")]
    }
    for transport in Transport.allCases {
      matches += [.transport(transport), .port(transport, PortRange(80)), .port(transport, PortRange(0, 65535))]
      matches += [.multiport(transport, [PortRange(443)]), .multiport(transport, [PortRange(443, 450)])]
      matches += [.multiport(transport, [PortRange(443), PortRange(80)])]
      matches += [.multiport(transport, [PortRange(0, 9), PortRange(80), PortRange(81, 90), PortRange(65000, 65535)])]
      matches += [.multiport(transport, [PortRange(80, 90), PortRange(85, 99), PortRange(7)])]
    }
    matches += [0, 1, 3, 8, 11, 77, 128, 129, 135, 136].map { .icmpType($0) }
    matches += ConntrackState.allCases.map { .conntrack([$0]) }
    matches += [.conntrack([.related, .established]), .conntrack(Set(ConntrackState.allCases))]
    for negated in [false, true] {
      matches += [(0x10000, 0x10000), (0, 0x30000), (5, 0xffff_ffff)].map {
        .mark(Mark($0, mask: $1), negated: negated)
      }
    }
    matches += [RateLimit.Unit.second, .minute, .hour, .day].map { .limit(RateLimit(10, per: $0, burst: 10)) }
    matches += [0, 1, 2, 46, 62].map { .codePoint($0) } + [.translated]
    for negated in [false, true] {
      matches += try [
        v4 ? ["10.0.0.1", "10.1.0.3"] : ["fd00::1", "fd00::5"],
        v4 ? ["10.0.0.0/8", "12.0.0.1"] : ["fd00::/64", "fd01::1"],
        v4 ? ["0.0.0.0/8", "255.0.0.0/8"] : ["::/8", "ff00::/8"],
      ].map { .addresses(.source, try $0.map(network), negated: negated) }
    }
    matches += [.limit(RateLimit(1, per: .second, burst: 5)), .keyed([.mark, .transport, .port], in: "asked")]

    let statements: [[Statement]] = [
      [.counter, .accept], [.drop], [.return], [.jump("user")], [.reject(.portUnreachable)], [.reject(.tcpReset)],
      [.counter, .reject(.tcpReset)], [.setMark(Mark(0x10, mask: 0x10))], [.setMark(Mark(0, mask: 0xf))],
      [.setMark(Mark(5, mask: 0xf))], [.setMark(Mark(7, mask: 0xffff_ffff)), .counter], [.log(group: 100)],
      [.log(group: 5, prefix: "DROP by \"policy\" "), .drop],
      [.setMarkFrom([.address(.source)], map: "marks"), .jump("user")], [.goto("user")],
      [.setMark(Mark(0x4000, mask: 0)), .gotoRandomly(["user", "a/b__10.0.0.1/80"])], [.gotoRandomly(["user"])],
      [.verdictFrom([.address(.destination), .transport, .port], map: "verdicts")],
    ]
    var rules = matches.map { Rule([$0], [.accept]) } + statements.map { Rule([], $0) }
    let address = Match.address(.source, try network(networks[0]))
    rules += statements.map { Rule([address, .transport(.tcp), .port(.tcp, PortRange(80))], $0, comment: "a \"b\" c") }
    rules += statements.map { Rule([address], $0) }
    rules += [Rule([.limit(RateLimit(10, per: .minute, burst: 10)), .conntrack([.new])], [.log(group: 1), .drop])]

    let kind: NamedSet.Kind = .interval
    let ranges =
      v4
      ? ["10.0.0.1", "10.1.0.0/16", "10.2.0.0/16", "240.0.0.0/4"]
      : ["fd00::1", "fd01::/64", "fd01:0:0:1::/64", "ff00::/8"]
    let sets = [
      NamedSet(
        name: "single", family: family, kind: .addresses, members: try members([networks[0]]), comment: "of one"),
      NamedSet(name: "ranges", family: family, kind: kind, members: try members(ranges), comment: "of \"ranges\""),
      NamedSet(name: "everywhere", family: family, kind: kind, members: try members([v4 ? "0.0.0.0/0" : "::/0"])),
      NamedSet(
        name: "edges", family: family, kind: kind,
        members: try members(
          v4 ? ["0.0.0.0/8", "255.255.255.255"] : ["::/8", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"])),
      NamedSet(name: "no-range", family: family, kind: kind),
      NamedSet(name: "no-address", family: family, kind: .addresses),
    ]
    let hooks: [Hook] = [.prerouting, .input, .forward, .output, .postrouting]
    var chains = [
      Chain(name: "user", rules: [Rule([], [.return])], comment: "jumped to"), Chain(name: "a/b__10.0.0.1/80"),
      Chain(
        name: "shapes", base: .init(.forward, policy: .drop), rules: rules.filter { $0.matches != [.local(.source)] }),
      Chain(name: "own-node", base: .init(.input), rules: [Rule([.local(.source)], [.accept])]),
    ]
    chains += hooks.enumerated().map {
      Chain(name: "hook-\($1.rawValue)", base: .init($1, priority: $0 * 7 - 10, policy: .accept))
    }
    let target = IPAddress(family: family, bits: 0x0a00_0009)
    chains += [
      Chain(
        name: "destinations", base: .nat(.prerouting),
        rules: [
          Rule([.port(.tcp, PortRange(80))], [.dnat(target, port: 8080)]),
          Rule([.local(.destination)], [.dnat(target, port: nil)], comment: "without a port"),
          Rule([.transport(.sctp)], [.dnatRandomly([.init(target, port: 80), .init(target, port: 8080)])]),
          Rule([.codePoint(3), .transport(.tcp)], [.dnatRandomly([.init(target, port: 80)])], comment: "alone"),
        ]),
      Chain(name: "local", base: .nat(.output), rules: [Rule([.transport(.udp)], [.dnat(target, port: 53)])]),
      Chain(
        name: "sources", base: .nat(.postrouting),
        rules: [
          Rule([.mark(Mark(1, mask: 1))], [.masquerade(randomFully: true)]),
          Rule([], [.masquerade(randomFully: false)]),
        ]),
      Chain(name: "inwards", base: .nat(.input)),
    ]
    let table = Table(name: "everything", family: family, chains: chains, comment: "all of \"it\"")
    let keyed = [
      KeyedSet(
        name: "marks", family: family, fields: [.address], content: .marks,
        elements: [.init([UInt128(v4 ? 0x0a00_0001 : 1)], mark: 7)]),
      KeyedSet(
        name: "verdicts", family: family, fields: [.address, .transport, .port], content: .verdicts,
        elements: [
          .init([v4 ? 0x0a00_0001 : 1, 6, 80], .verdict(.goto("user")), comment: "app/web:http"),
          .init([v4 ? 0x0a00_0001 : 1, 17, 53], .verdict(.drop)),
          .init([v4 ? 0x0a00_0002 : 2, 6, 80], .verdict(.goto("a/b__10.0.0.1/80"))),
        ], comment: "of verdicts"),
      KeyedSet(name: "no-verdict", family: family, fields: [.transport, .port], content: .verdicts),
      KeyedSet(
        name: "asked", family: family, fields: [.mark, .transport, .port], hasRanges: true,
        elements: [.init([5, 6, 80], through: 90)]),
    ]
    return Ruleset(backend: .nftables, tables: [table], sets: sets, keyedSets: keyed)
  }

  @Test("every match and statement is listed the same as after nft -f", arguments: IPFamily.allCases)
  func everyShape(family: IPFamily) throws {
    let ruleset = try everything(family)
    #expect(Set(of: ruleset.tables.flatMap(\.chains).flatMap(\.rules)) == .sayable(in: .nftables))
    try expectSame(ruleset)
  }

  @Test("two families with sets of the same names are listed the same as after nft -f")
  func bothFamilies() throws {
    let (v4, v6) = (try everything(.v4), try everything(.v6))
    try expectSame(
      Ruleset(
        backend: .nftables, tables: v4.tables + v6.tables, sets: v4.sets + v6.sets,
        keyedSets: v4.keyedSets + v6.keyedSets))
  }

  @Test("a set that takes several messages is complete, also with ranges across two messages")
  func largeSets() throws {
    let hosts = (0..<5000).map { NamedSet.Member(CIDR(IPAddress(v4: 0x0a00_0000 + $0 * 3))) }
    let blocks = (0..<1700).map { NamedSet.Member(CIDR(IPAddress(v4: 0x0b00_0000 + $0 * 512), prefixLength: 24)) }
    let sets = [
      NamedSet(name: "hosts", family: .v4, kind: .addresses, members: hosts),
      NamedSet(name: "blocks", family: .v4, kind: .interval, members: blocks),
    ]
    let ruleset = Ruleset(backend: .nftables, tables: [Table(name: "t", family: .v4)], sets: sets)
    let namespace = try worker.makeNamespace()
    try loadNftables(ruleset, in: namespace, on: worker)
    for (name, members) in [("hosts", hosts), ("blocks", blocks)] {
      let listed = try Command(["nft", "list", "set", "ip", "t", name]).run(in: namespace, on: worker).requireSuccess()
      let elements = listed.text.split { !"0123456789./".contains($0) }.filter { $0.contains(".") }.map(String.init)
      #expect(elements.sorted() == members.map { $0.cidr.isHost ? "\($0.cidr.network)" : "\($0.cidr)" }.sorted())
    }
  }

  @Test("a ruleset larger than the buffer is loaded in pieces, with the same result", arguments: [4_000, 60_000])
  func pieces(limit: Int) throws {
    let hosts = (0..<7000).map { NamedSet.Member(CIDR(IPAddress(v4: 0x0a00_0000 + $0 * 3))) }
    let blocks = (0..<3500).map { NamedSet.Member(CIDR(IPAddress(v4: 0x0b00_0000 + $0 * 512), prefixLength: 24)) }
    let sets = [
      NamedSet(name: "hosts", family: .v4, kind: .addresses, members: hosts),
      NamedSet(name: "blocks", family: .v4, kind: .interval, members: blocks),
    ]
    let rules = (0..<300).map { Rule([.inSet(.source, "hosts"), .port(.tcp, PortRange($0 + 1))], [.accept]) }
    let table = Table(
      name: "t", family: .v4,
      chains: [
        Chain(name: "user", rules: rules + [Rule([.inSet(.destination, "blocks")], [.drop])]),
        Chain(name: "f", base: .init(.forward), rules: [Rule([], [.jump("user")])]),
      ])
    let ruleset = Ruleset(backend: .nftables, tables: [table], sets: sets)
    #expect(try NftTransaction(ruleset, atMost: limit).count > 3)
    let (inPieces, whole) = (try worker.makeNamespace(), try worker.makeNamespace())
    try loadNftables(ruleset, in: inPieces, on: worker, atMost: limit)
    try loadNftables(ruleset, in: whole, on: worker)
    #expect(try listing(inPieces) == listing(whole))
    #expect(try listing(whole).count > 300)
  }

  @Test("a refusal in a later piece leaves nothing behind and names its rule")
  func refusedPiece() throws {
    let rules = (0..<300).map { Rule([.port(.tcp, PortRange($0 + 1))], [.accept]) } + [Rule([], [.jump("nowhere")])]
    let table = Table(
      name: "t", family: .v4,
      chains: [Chain(name: "user", rules: rules), Chain(name: "f", base: .init(.forward))])
    let namespace = try worker.makeNamespace()
    let refused = #expect(throws: RefusedNftObject.self) {
      try loadNftables(Ruleset(backend: .nftables, tables: [table]), in: namespace, on: worker, atMost: 20_000)
    }
    #expect(refused?.subject == "rule 301 of chain ip t user (jump nowhere)")
    #expect(try listing(namespace).joined().isEmpty)
  }

  private func refusal(of ruleset: Ruleset) throws -> RefusedNftObject? {
    let namespace = try worker.makeNamespace()
    do {
      try loadNftables(ruleset, in: namespace, on: worker)
      return nil
    } catch let refused as RefusedNftObject {
      #expect(try listing(namespace).joined().isEmpty)
      return refused
    }
  }

  @Test("a rule that the kernel refuses is named, and nothing is loaded")
  func refusedRule() throws {
    let rules = [
      Rule([.port(.tcp, PortRange(80))], [.accept]),
      Rule([.multiport(.udp, [PortRange(5), PortRange(9)])], [.jump("nowhere")]),
      Rule([], [.jump("elsewhere")]),
    ]
    let table = Table(name: "t", family: .v4, chains: [Chain(name: "f", base: .init(.forward), rules: rules)])
    let refused = try #require(try refusal(of: Ruleset(backend: .nftables, tables: [table])))
    #expect(refused.subject == "rule 2 of chain ip t f (udp dport { 5, 9 } jump nowhere)")
    #expect(refused.error.name == "ENOENT")
  }

  @Test("a lookup in a missing set is named")
  func missingSet() throws {
    let rules = [Rule([.inSet(.source, "missing")], [.accept])]
    let table = Table(name: "t", family: .v6, chains: [Chain(name: "c", rules: rules)])
    let refused = try #require(try refusal(of: Ruleset(backend: .nftables, tables: [table])))
    #expect(refused.subject == "rule 1 of chain ip6 t c (ip6 saddr @missing accept)")
  }

  @Test("a set that the kernel refuses is named")
  func refusedSet() throws {
    let set = NamedSet(name: String(repeating: "s", count: 300), family: .v4, kind: .addresses)
    let ruleset = Ruleset(backend: .nftables, tables: [Table(name: "t", family: .v4)], sets: [set])
    #expect(try #require(try refusal(of: ruleset)).subject == "set \(set.name)")
  }

  @Test("what nf_tables can't express is unsupported, as in text")
  func unsupported() throws {
    for rule in unsayableRules(in: .nftables) {
      let table = Table(name: "t", family: .v4, chains: [Chain(name: "c", rules: [rule])])
      #expect(throws: Unsupported.self) { try NftTransaction(Ruleset(backend: .nftables, tables: [table])) }
    }
    let set = NamedSet(name: "s", family: .v4, kind: .hashNet)
    let empty = Table(name: "t", family: .v4)
    #expect(throws: Unsupported.self) { try NftTransaction(Ruleset(backend: .nftables, tables: [empty], sets: [set])) }
    let nested = NamedSet(
      name: "s", family: .v4, kind: .interval, members: try members(["10.0.0.0/8", "10.1.0.0/16"]))
    #expect(throws: Unsupported.self) {
      try NftTransaction(Ruleset(backend: .nftables, tables: [empty], sets: [nested]))
    }
  }
}

extension KeyedSet {
  /// With its elements sorted, and without the comment, which nft 1.0.6 lists only as text.
  fileprivate var inOrder: KeyedSet {
    var set = self
    set.elements.sort(by: KeyedSet.Element.precedes)
    set.comment = nil
    return set
  }
}
