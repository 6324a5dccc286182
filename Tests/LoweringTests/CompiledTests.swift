// What this does not show: that the rules judge as the specification says (EngineComparisonTests, RunTests).
import NetpolModel
import RuleIR
import Statistics
import Testing

@testable import Lowering

private func pod(
  _ name: String, _ last: UInt32, labels: Labels = [:], node: String = "n1", ports: [ContainerPort] = []
) -> Pod {
  Pod(
    id: PodID("app", name), labels: labels, node: node, podIPs: [IPAddress(v4: 0x0a2a_0000 + last)],
    hostIP: IPAddress(v4: 0xc0a8_140b), ports: ports)
}

private func view(_ pods: [Pod], _ policies: [NetworkPolicy]) -> NodeView {
  NodeView(
    node: "n1", nodeAddresses: [IPAddress(v4: 0xc0a8_140b)], namespaceLabels: ["app": [:]], pods: pods,
    policies: policies, families: [.v4], serviceCIDRs: [], nodePorts: PortRange(30000, 32767), versionStamp: "1")
}

private func policy(_ name: String, _ rules: [NetworkPolicy.Rule], selecting labels: Labels = [:]) -> NetworkPolicy {
  NetworkPolicy(
    id: PolicyID("app", name), podSelector: LabelSelector(matchLabels: labels), isolates: [.ingress], ingress: rules)
}

private func number(_ port: UInt16, through last: UInt16? = nil) -> NetworkPolicy.Ports {
  .listed([.init(.tcp, .number(port, through: last))])
}

@Suite("The compiled style") struct CompiledTests {
  private static let everyPod = NetworkPolicy.Peer.pods(in: .own, matching: .everything)

  private static func ruleset(_ pods: [Pod], _ policies: [NetworkPolicy]) -> Ruleset {
    EnforcementStyle.compiled.lower(view(pods, policies)).ruleset
  }

  private static func elements(_ ruleset: Ruleset, _ set: String) -> [KeyedSet.Element] {
    ruleset.keyedSets.first { $0.name == set }?.elements ?? []
  }

  private static func block(_ cidr: String, except: [String] = []) -> NetworkPolicy.Peer {
    .block(.init(CIDR(cidr) ?? CIDR(IPAddress(v4: 0)), except: except.compactMap { CIDR($0) }))
  }

  @Test("rules don't change with pods, policies and peers")
  func fixed() {
    let pods = (1...40).map { pod("p\($0)", $0, labels: ["n": "\($0)"]) }
    let policies = (1...40).map { n in
      policy(
        "q\(n)",
        [
          .init(peers: .listed([Self.everyPod, Self.block("10.\(n).0.0/16")]), ports: number(UInt16(n))),
          .init(ports: number(1000, through: 2000)),
        ], selecting: ["n": "\(n)"])
    }
    let large = Self.ruleset(pods, policies)
    #expect(large.tables == Self.ruleset([], []).tables)
    #expect(large.changes(to: Self.ruleset(pods, Array(policies.dropLast()))).replaced.isEmpty)
  }

  @Test("no element is written that no packet can reach")
  func deadElements() {
    let peer = pod("peer", 7)
    let all = [
      policy(
        "q",
        [
          .init(
            peers: .listed([Self.everyPod]),
            ports: .listed([
              .init(.tcp, .number(80, through: nil)), .init(.tcp, .number(1000, through: 2000)),
            ])),
          .init(peers: .listed([Self.block("10.42.0.7/32"), Self.block("10.42.0.16/31")]), ports: number(81)),
        ])
    ]
    let rules = Self.ruleset([peer, pod("web", 1)], all)
    // The peers' ranges come with all of their ports, and with those of their block.
    #expect(Self.elements(rules, "ia").isEmpty && Self.elements(rules, "iw").count == 2)
    // Of the blocks, only the addresses that no such peer has are left.
    #expect(Self.elements(rules, "ib").map { $0.key[1] } == [UInt128(0x0a2a_0010)])
    let single = Self.ruleset([peer], [policy("q", [.init(peers: .listed([Self.everyPod]), ports: number(80))])])
    // Nobody is a peer of its own.
    #expect(["f", "ia", "iw"].allSatisfy { Self.elements(single, $0).isEmpty })
  }

  /// Pods 1 to `count`, which admit each other on port 80. `isBoth`: for egress too.
  private static func crowd(_ count: UInt32, isBoth: Bool) -> (pods: [Pod], policy: NetworkPolicy) {
    var policy = policy("q", [.init(peers: .listed([everyPod]), ports: number(80))])
    if isBoth {
      policy.isolates = [.ingress, .egress]
      policy.egress = [.init(peers: .listed([everyPod]), ports: number(80))]
    }
    return ((1...count).map { pod("p\($0)", $0) }, policy)
  }

  @Test("a pair is written if the policies of both ends admit it, and once", arguments: [false, true])
  func pairs(isBoth: Bool) {
    let (pods, policy) = Self.crowd(5, isBoth: isBoth)
    let rules = Self.ruleset(pods, [policy])
    #expect(Self.elements(rules, "f").count == 5 * 4)
    #expect(Self.elements(rules, "ia").isEmpty && Self.elements(rules, "ea").isEmpty)
    // A policy that lets the first pod send nothing else closes its pairs.
    var closed = policy
    closed.isolates = [.egress]
    closed.ingress = []
    closed.egress = []
    closed.id = PolicyID("app", "closed")
    let first = pods.map { pod in
      var pod = pod
      if pod.id.name == "p1" { pod.labels = ["first": "yes"] }
      return pod
    }
    closed.podSelector = LabelSelector(matchLabels: ["first": "yes"])
    var open = policy
    open.isolates = [.ingress]
    let left = Self.elements(Self.ruleset(first, [open, closed]), "f").map(\.key)
    #expect(left.count == 4 * 4 && !left.contains { $0[0] == pods[0].podIPs[0].bits })
  }

  @Test("a group with too many pairs has its peers in sets of its own", arguments: [false, true])
  func crowds(isBoth: Bool) {
    let (pods, policy) = Self.crowd(65, isBoth: isBoth)
    let rules = Self.ruleset(pods, [policy])
    #expect(Self.elements(rules, "f").isEmpty)
    #expect(Self.elements(rules, "ia").count == 65 && Self.elements(rules, "ea").count == (isBoth ? 65 : 0))
  }

  @Test("with default-deny, the node's set of pods leaves out finished and host-network pods")
  func knownPods() {
    var done = pod("done", 2)
    done.phase = .succeeded
    var host = pod("host", 3)
    host.hostNetwork = true
    var view = view([pod("web", 1), done, host, pod("far", 9, node: "n2")], [])
    view.defaultDeny = true
    let known = EnforcementStyle.compiled.lower(view).ruleset.sets.first { $0.name == "k" }
    #expect(known?.members.map(\.cidr) == [CIDR(IPAddress(v4: 0x0a2a_0001))])
  }

  @Test(
    "a new pod with the policies of other pods adds two elements, and as a peer one for each group and port")
  func newPod() {
    let policies = [policy("q", [.init(peers: .listed([Self.everyPod]), ports: number(80))])]
    let pods = (1...9).map { pod("p\($0)", $0) }
    let changes = Self.ruleset(pods, policies).changes(to: Self.ruleset(pods + [pod("new", 99)], policies))
    #expect(changes.replaced.isEmpty)
    #expect(changes.elements.flatMap(\.removed).isEmpty)
    #expect(
      changes.elements.map(\.place.set).sorted() == ["f", "ig", "s"])
    // With each of the nine pods, one pair in each direction.
    #expect(changes.elements.flatMap(\.added).count == 2 * 9 + 2)
    let groups = Set(Self.elements(Self.ruleset(pods, policies), "ig").map(\.mark))
    #expect(groups.count == 1)
  }

  @Test("a set that outgrows its size is replaced, while sets of ranges stay and lose no packets")
  func growth() {
    let policies = [
      policy("q", [.init(peers: .listed([Self.everyPod, Self.block("10.0.0.0/8")]), ports: number(80))])
    ]
    let pods = (1...100).map { pod("p\($0)", $0) }
    let changes = Self.ruleset(Array(pods.prefix(9)), policies).changes(to: Self.ruleset(pods, policies))
    #expect(changes.replaced.isEmpty && Set(changes.goneSets.map(\.set)) == ["ia", "ig", "s"])
    #expect(changes.fresh.keyedSets.allSatisfy { !$0.hasRanges } && changes.fresh.tables.isEmpty)
    #expect(changes.chains.allSatisfy { $0.gone.isEmpty && $0.fresh.isEmpty && !$0.rewritten.isEmpty })
  }

  @Test("an unrelated policy does not change the number of any group")
  func stable() {
    let pods = [pod("a", 1, labels: ["a": ""]), pod("b", 2, labels: ["b": ""])]
    let first = [policy("m", [.init(ports: number(80))], selecting: ["a": ""])]
    let both = first + [policy("a", [.init(ports: number(81))], selecting: ["b": ""])]
    let before = Set(Self.elements(Self.ruleset(pods, first), "ig"))
    #expect(before.isSubset(of: Self.elements(Self.ruleset(pods, both), "ig")))
  }

  @Test("pods with different numbers for a policy's named port are in different groups")
  func namedPorts() {
    let named = NetworkPolicy.Ports.listed([.init(.tcp, .name("http"))])
    let pods = [8080, 8080, 8081].enumerated().map { index, number in
      pod("p\(index)", UInt32(index), ports: [ContainerPort(name: "http", number: UInt16(number))])
    }
    let ruleset = Self.ruleset(pods, [policy("q", [.init(ports: named)])])
    #expect(Set(Self.elements(ruleset, "ig").map(\.mark)).count == 2)
    #expect(Set(Self.elements(ruleset, "p").compactMap(\.key.last)) == [8080, 8081])
  }

  @Test("pods to which a policy allows everything have no elements")
  func open() {
    let ruleset = Self.ruleset([pod("a", 1)], [policy("q", [.init()]), policy("r", [])])
    #expect(ruleset.keyedSets.flatMap { $0.elements }.isEmpty)
  }

  @Test("pod peers are only in hash tables, and blocks only in tables of ranges")
  func apart() {
    let policies = [
      policy("q", [.init(peers: .listed([Self.everyPod, Self.block("10.0.0.0/8")]), ports: number(80, through: 99))])
    ]
    let small = Self.ruleset((1...3).map { pod("p\($0)", $0) }, policies)
    let large = Self.ruleset((1...90).map { pod("p\($0)", $0) }, policies)
    for set in ["ib", "r"] { #expect(Self.elements(small, set) == Self.elements(large, set)) }
    #expect(Self.elements(large, "iw").count == 90)
  }

  @Test("a pod with the address of another pod is reported and has no rules of its own")
  func twins() {
    let lowered = EnforcementStyle.compiled.lower(view([pod("a", 1), pod("b", 1)], [policy("q", [])]))
    #expect(lowered.findings.map(\.subject) == [.pod(PodID("app", "b"), nil)])
    #expect(lowered.ruleset.keyedSets.first { $0.name == "ig" }?.elements.count == 1)
  }

  @Test("two texts have different marks even if their hashes are equal, and no mark is zero or the one for everything")
  func numbers() {
    var numbers = MarkNumbers()
    let marks = (0..<2000).map { numbers.number(of: "text \($0 * 7919)", isOdd: $0 % 2 == 1) }
    #expect(Set(marks).count == 2000 && !marks.contains(0) && !marks.contains(MarkNumbers.everything))
    #expect(marks.enumerated().allSatisfy { $0 % 2 == Int($1 % 2) })
    #expect(numbers.number(of: "text 0", isOdd: false) == marks[0])
  }

  @Test("segments allow exactly what the union of the blocks allows, at and beside every end of a block")
  func segments() {
    var random = SplitMix64(seed: 7)
    let next = { (bound: Int) in random.below(bound) }
    for family in IPFamily.allCases {
      for _ in 0..<200 {
        let width = family.bitWidth
        let cidr = { (least: Int) -> CIDR in
          // Few bits at either end, so that blocks touch or overlap.
          let bits = UInt128(next(16)) << UInt128(width - 4) | UInt128(next(8)) | (next(4) == 0 ? UInt128(0xf8) : 0)
          return CIDR(
            IPAddress(family: family, bits: bits), prefixLength: [0, 1, 3, 4, width - 3, width][next(6)])
        }
        let blocks = (0..<next(6)).map { _ -> (block: NetworkPolicy.IPBlock, ports: PortSet) in
          let ports = [NetworkPolicy.Ports.all, number(80), number(80, through: 99), number(443)][next(4)]
          return (.init(cidr(0), except: (0..<next(4)).map { _ in cidr(0) }), PortSet(ports, of: nil))
        }
        let segments = AddressSegments(blocks)
        let ends = blocks.flatMap { [$0.block.cidr] + $0.block.except }.flatMap { [$0.firstAddress, $0.lastAddress] }
        for address in ends.flatMap({ [$0, $0.advanced(by: 1), $0.advanced(by: .max)] }) {
          let expected = blocks.filter { $0.block.contains(address) }
            .reduce(into: PortSet()) { $0.formUnion($1.ports) }
          #expect(segments.ports(of: address) == expected)
        }
        for (one, other) in zip(segments.segments, segments.segments.dropFirst()) {
          #expect(one.last < other.first && !(one.last + 1 == other.first && one.ports == other.ports))
        }
      }
    }
  }
}
