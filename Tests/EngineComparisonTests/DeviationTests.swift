// What this does not show: that the kernel does it too. RunTests and the examples show that with packets.
import Enforcement
import Lowering
import NetpolModel
import Oracle
import Path
import RuleIR
import TestSupport
import Testing

@testable import EngineComparison

@Suite("Known deviations of kube-router") struct DeviationTests {
  /// A deviation, its smallest world, a flow that shows it, and a similar flow that does not.
  struct Case: CustomTestStringConvertible, Sendable {
    let deviation: Deviation
    let policies: String
    var extra = ""
    let shows: (from: String, to: String, port: UInt16)
    let beside: (from: String, to: String, port: UInt16)
    var family = IPFamily.v4
    /// Both flows go to this multicast group.
    var group: IPAddress?
    var testDescription: String { "\(deviation.id) \(deviation.summary)" }
  }

  static func policy(_ spec: String, name: String = "p", annotations: String = "{}") -> String {
    """
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {namespace: app, name: \(name), annotations: \(annotations)}
    spec: \(spec)

    """
  }

  static let cases: [Case] = [
    Case(
      deviation: .bothTypePolicy,
      policies: policy("{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{}]}"),
      shows: ("app/web", "app/web2", 80), beside: ("app/web", "app/client", 80)),
    Case(
      deviation: .unresolvedNamedPort,
      policies: policy(
        "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: nobody}]}]}"
      ),
      shows: ("app/client", "app/web", 1234), beside: ("other/client", "app/web", 1234)),
    Case(
      deviation: .egressNamedPortToAnyone,
      policies: policy(
        "{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}"),
      shows: ("app/client", "other/client", 8080), beside: ("app/client", "app/web", 8080)),
    Case(
      deviation: .egressNamedPortToAnyone,
      policies: policy(
        "{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}"),
      shows: ("app/client", "other/client", 9090), beside: ("app/client", "other/client", 9999)),
    Case(
      deviation: .egressNamedPortToBlock,
      policies: policy(
        "{podSelector: {matchLabels: {app: client}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.42.0.0/16}}], ports: [{port: http}]}]}"
      ),
      shows: ("app/client", "app/web", 8080), beside: ("app/client", "app/web", 8081)),
    Case(
      deviation: .ownNodePorts,
      policies: policy("{podSelector: {}, policyTypes: [Egress]}"),
      shows: ("app/web", "node/node1", 30000), beside: ("app/web", "node/node1", 29999)),
    Case(
      deviation: .ownNodePorts,
      policies: policy("{podSelector: {}, policyTypes: [Egress]}"),
      shows: ("app/web", "node/node1", 32767), beside: ("app/web", "node/node2", 32767)),
    Case(
      deviation: .longestPrefix,
      policies: policy(
        "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.42.0.0/16, except: [10.42.1.0/24]}}, {ipBlock: {cidr: 10.42.0.0/16}}]}]}"
      ),
      shows: ("other/client", "app/web", 80), beside: ("app/client", "app/web", 80)),
    Case(
      deviation: .abortedSync,
      policies: policy("{podSelector: {}}", annotations: "{kube-router.io/netpol-nflog-limit: 0/second}"),
      shows: ("other/client", "app/web", 80), beside: ("app/web", "other/client", 80)),
    Case(
      deviation: .sharedNamedPortLists,
      policies: policy(
        "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}], ports: [{port: admin}]}]}"),
      extra: podText("app/web3", on: "node2", labels: "app: web", ports: ["name: http, containerPort: 8080"]),
      shows: ("app/client", "app/web3", 9000), beside: ("app/client", "app/web2", 9000)),
    Case(
      deviation: .overlappingBlocks,
      policies: policy(
        "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.42.0.0/16}}, {ipBlock: {cidr: 10.42.0.0/24}}]}]}"
      ),
      shows: ("app/client", "app/web", 80), beside: ("app/web", "app/client", 80)),
    Case(
      deviation: .bridgeHidesPackets,
      policies: policy("{podSelector: {}}"),
      extra: """
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        bridgeNetfilter: false
        ---

        """,
      shows: ("app/client", "app/web", 80), beside: ("app/client", "app/web2", 80)),
    Case(
      deviation: .unknownHostIP,
      policies: policy("{podSelector: {}}"),
      extra: """
        apiVersion: v1
        kind: Pod
        metadata: {namespace: app, name: stray}
        spec: {nodeName: node2, containers: [{name: c}]}
        status: {phase: Running, hostIP: 192.0.2.1, podIP: 10.42.1.77, podIPs: [{ip: 10.42.1.77}]}
        ---
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        nodes: [{name: node2, addresses: [192.168.20.12]}]
        ---

        """,
      shows: ("other/client", "app/stray", 80), beside: ("other/client", "app/web2", 80)),
    Case(
      deviation: .acceptsBeforeKubeProxy, policies: policy("{podSelector: {matchLabels: {app: nobody}}}"),
      extra: """
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        nodes: [{name: node1, addresses: [192.168.20.11]}, {name: node2, addresses: [192.168.20.12]}]
        loadBalancerAnnouncer: node2
        ---
        apiVersion: v1
        kind: Service
        metadata: {namespace: app, name: web}
        spec:
          type: LoadBalancer
          selector: {app: web}
          ports: [{port: 80, targetPort: 8080}]
          loadBalancerSourceRanges: [192.168.20.0/24]
        status: {loadBalancer: {ingress: [{ip: 192.168.20.200}]}}
        ---

        """,
      shows: ("app/client", "vip/app/web/192.168.20.200", 80), beside: ("node/node1", "vip/app/web/192.168.20.200", 80)),
    // The balancer has a node's address, and the endpoint is a host-network pod there with the same port.
    Case(
      deviation: .dropsUntranslatable, policies: policy("{podSelector: {matchLabels: {app: nobody}}}"),
      extra: """
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        nodes: [{name: node1, addresses: [192.168.20.11]}, {name: node2, addresses: [192.168.20.12]}]
        ---
        apiVersion: v1
        kind: Pod
        metadata: {namespace: app, name: edge, labels: {app: edge}}
        spec: {nodeName: node2, hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {namespace: app, name: edge}
        spec:
          type: LoadBalancer
          selector: {app: edge}
          ports: [{name: a, port: 80}, {name: b, port: 81, targetPort: 8081}]
          loadBalancerSourceRanges: [192.168.20.0/24]
        status: {loadBalancer: {ingress: [{ip: 192.168.20.12}]}}
        ---

        """,
      shows: ("node/node1", "vip/app/edge/192.168.20.12", 80), beside: ("node/node1", "vip/app/edge/192.168.20.12", 81)),
    // Without a cluster CIDR kube-proxy doesn't recognise the pod, and client1's node has no endpoint.
    Case(
      deviation: .acceptsBeforeKubeProxy, policies: policy("{podSelector: {matchLabels: {app: nobody}}}"),
      extra: """
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        nodes: [{name: node1, addresses: [192.168.20.11]}, {name: node2, addresses: [192.168.20.12]}]
        loadBalancerAnnouncer: node2
        kubeProxy: {noClusterCIDR: true}
        ---
        apiVersion: v1
        kind: Service
        metadata: {namespace: other, name: near}
        spec:
          type: LoadBalancer
          externalTrafficPolicy: Local
          selector: {app: client}
          ports: [{port: 80, targetPort: 9090}]
        status: {loadBalancer: {ingress: [{ip: 192.168.20.200}]}}
        ---

        """,
      shows: ("app/client", "vip/other/near/192.168.20.200", 80),
      beside: ("node/node1", "vip/other/near/192.168.20.200", 80)),
    // The Service has no endpoint, and a pod on the other node has its port as a host port.
    Case(
      deviation: .acceptsBeforeKubeProxy, policies: policy("{podSelector: {matchLabels: {app: nobody}}}"),
      extra: """
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        nodes: [{name: node1, addresses: [192.168.20.11]}, {name: node2, addresses: [192.168.20.12]}]
        ---
        apiVersion: v1
        kind: Pod
        metadata: {namespace: app, name: edge}
        spec: {nodeName: node2, containers: [{name: c, ports: [{containerPort: 8080, hostPort: 80}]}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {namespace: app, name: edge}
        spec: {type: LoadBalancer, selector: {app: nobody}, ports: [{port: 80}]}
        status: {loadBalancer: {ingress: [{ip: 192.168.20.12}]}}
        ---

        """,
      shows: ("app/client", "vip/app/edge/192.168.20.12", 80), beside: ("node/node1", "vip/app/edge/192.168.20.12", 80)),
    Case(
      deviation: .refusesUnprogrammed, policies: "",
      extra: """
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        nodes: [{name: node1, addresses: [192.168.20.11]}, {name: node2, addresses: [192.168.20.12]}]
        defaultDeny: true
        ---

        """,
      shows: ("node/node2", "app/web", 80), beside: ("node/node1", "app/web", 80)),
    Case(
      deviation: .multicastIngress,
      policies: policy("{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}"),
      shows: ("app/client", "app/web", 5353), beside: ("app/web", "app/client", 5353),
      group: IPAddress(v4: 0xe000_00fb)),
    Case(
      deviation: .sidecarPorts,
      policies: policy(
        "{podSelector: {matchLabels: {app: mesh}}, ingress: [{ports: [{port: metrics}, {port: http}]}]}"),
      extra: podText(
        "app/mesh", on: "node2", labels: "app: mesh", ports: ["name: http, containerPort: 8080"],
        spec: "initContainers: [{name: s, restartPolicy: Always, ports: [{name: metrics, containerPort: 9090}]}]"),
      shows: ("app/client", "app/mesh", 9090), beside: ("app/client", "app/mesh", 8080)),
    Case(
      deviation: .hairpin,
      policies: policy(
        "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]}"
      ),
      extra: """
        apiVersion: v1
        kind: Service
        metadata: {namespace: app, name: web}
        spec: {clusterIP: 10.43.0.9, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
        ---

        """,
      shows: ("app/web", "service/app/web", 80), beside: ("app/client", "service/app/web", 80)),
    Case(
      deviation: .endPortBelowPort,
      policies: policy("{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 81, endPort: 80}]}]}"),
      shows: ("app/client", "app/web", 81), beside: ("app/client", "app/web", 80)),
    Case(
      deviation: .wholeIPv6,
      policies: policy("{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]}"),
      extra: """
        apiVersion: netpol-lab/v1alpha1
        kind: Cluster
        nodes:
        - {name: node1, addresses: [192.168.20.11, 'fd00:20::11'], podCIDRs: [10.42.0.0/24, 'fd00:42::/64']}
        - {name: node2, addresses: [192.168.20.12, 'fd00:20::12'], podCIDRs: [10.42.1.0/24, 'fc00:42:1::/64']}
        ---

        """,
      shows: ("other/client", "app/web", 80), beside: ("app/client", "app/web", 80), family: .v6),
  ]

  @Test(
    "a style's rules show its deviation for the predicted flow, and not for a similar flow",
    arguments: EnforcementStyle.all.map(\.name), cases)
  func shows(style: String, deviation: Case) throws {
    let world = try SmallWorld(
      policies: deviation.policies, extra: deviation.extra, style: try #require(EnforcementStyle.named(style)))
    let shown = try world.compare(
      deviation.shows.from, deviation.shows.to, deviation.shows.port, deviation.group == nil ? .tcp : .udp,
      deviation.family,
      group: deviation.group)
    let isMade = world.comparer.enforced.style.traits.deviations.contains(deviation.deviation)
    #expect(shown.finding == (isMade ? .deviation([deviation.deviation]) : .agreement), "\(shown.flow)")
    let beside = try world.compare(
      deviation.beside.from, deviation.beside.to, deviation.beside.port, deviation.group == nil ? .tcp : .udp,
      deviation.family, group: deviation.group)
    #expect(beside.finding == .agreement, "\(beside.flow)")
  }

  @Test("a pod with another node's hostIP is only judged where its packets to pods of that node pass")
  func strayHostIP() throws {
    let stray = """
      apiVersion: netpol-lab/v1alpha1
      kind: Cluster
      nodes: [{name: node1, addresses: [192.168.20.11]}, {name: node2, addresses: [192.168.20.12]}]
      ---
      \(podText("app/stray", on: "node1", labels: "app: stray", status: "phase: Running, hostIP: 192.168.20.12, podIP: 10.42.0.50, podIPs: [{ip: 10.42.0.50}]"))

      """
    let denied = Self.policy("{podSelector: {matchLabels: {app: stray}}, policyTypes: [Egress]}")
    for style in EnforcementStyle.all where style.traits.deviations.contains(.unknownHostIP) {
      let world = try SmallWorld(policies: denied, extra: stray, style: style)
      #expect(try world.compare("app/stray", "app/web2", 80).finding == .agreement)
      for escape in ["app/web", "node/node1", "node/node2"] {
        #expect(try world.compare("app/stray", escape, 80).finding == .deviation([.unknownHostIP]), "\(escape)")
      }
    }
  }

  /// StrangerPacketTests have the worlds of D14.
  @Test("every deviation has a case")
  func complete() { #expect(Set(Self.cases.map(\.deviation)).union([.refusesStrangers]) == Set(Deviation.allCases)) }

  @Test("a predicted deviation that does not happen is a failure, and so is an unexplained difference")
  func failures() throws {
    let world = try SmallWorld(policies: "")
    let flow = try world.compare("app/web", "app/web2", 80)
    let of = { (finding: Comparison.Finding) in
      Comparison(
        flow: flow.flow, specified: flow.specified, journey: flow.journey, observation: nil, finding: finding)
    }
    #expect(of(.deviationMissing([.bothTypePolicy])).isFailure(strict: false))
    #expect(of(.unexplained).isFailure(strict: false) && of(.kernelDisagrees).isFailure(strict: false))
    #expect(of(.undecided("")).isFailure(strict: false))
    #expect(!of(.deviation([.bothTypePolicy])).isFailure(strict: false))
    #expect(of(.deviation([.bothTypePolicy])).isFailure(strict: true))
    #expect(!of(.agreement).isFailure(strict: true) && !of(.noRoute(.loop)).isFailure(strict: true))
  }

  @Test("a style that does not do what is predicted is detected")
  func missing() throws {
    // A style that allows everything and claims D4, which denies what the specification allows.
    let open = EnforcementStyle(
      name: "open", backend: .iptables, traits: EnforcementStyle.kubeRouterK3s.traits.making([.egressNamedPortToBlock])
    ) { _ in Lowered(Ruleset()) }
    let policy = try #require(Self.cases.first { $0.deviation == .egressNamedPortToBlock })
    let world = try SmallWorld(policies: policy.policies, style: open)
    let predicted = try world.compare(policy.shows.from, policy.shows.to, policy.shows.port)
    #expect(predicted.finding == .deviationMissing([.egressNamedPortToBlock]))
    let beside = try world.compare(policy.beside.from, policy.beside.to, policy.beside.port)
    #expect(beside.finding == .unexplained, "it allows what it should deny")
  }

  @Test("if several deviations lead to a verdict, the labels only name deviations that are present")
  func labels() throws {
    let both = Self.policy(
      "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}], ports: [{port: metrics}]}], egress: [{ports: [{port: http}]}]}"
    )
    let shown = try SmallWorld(policies: both).compare("app/web", "app/web2", 8080)
    guard case .deviation(let numbers) = shown.finding else {
      Issue.record("\(shown.finding)")
      return
    }
    #expect(Set(numbers).isSubset(of: [.bothTypePolicy, .unresolvedNamedPort, .egressNamedPortToAnyone]))
  }

  @Test("a port name that only a sidecar has opens every port between the pods of the rule, as an unknown name does")
  func unknownSidecarPort() throws {
    let policy = Self.policy(
      "{podSelector: {matchLabels: {app: mesh}}, ingress: [{from: [{podSelector: {matchLabels: {app: client}}}], ports: [{port: metrics}]}]}"
    )
    let pod = podText(
      "app/mesh", on: "node2", labels: "app: mesh", ports: ["name: http, containerPort: 8080"],
      spec: "initContainers: [{name: s, restartPolicy: Always, ports: [{name: metrics, containerPort: 9090}]}]")
    for style in EnforcementStyle.all {
      let world = try SmallWorld(policies: policy, extra: pod, style: style)
      let isKubeRouter = style.traits.deviations.contains(.sidecarPorts)
      #expect(try world.compare("app/client", "app/mesh", 9090).finding == .agreement)
      #expect(
        try world.compare("app/client", "app/mesh", 12345).finding
          == (isKubeRouter ? .deviation([.unresolvedNamedPort, .sidecarPorts]) : .agreement))
      #expect(try world.compare("other/client", "app/mesh", 9090).finding == .agreement)
    }
  }

  @Test("the kernel's answer is compared with the evaluator's, and an unusable answer decides nothing")
  func kernel() throws {
    let world = try SmallWorld(policies: Self.policy("{podSelector: {}}"))
    let flow = try world.compare("other/client", "app/web", 80).flow
    #expect(world.comparer.compare(flow, .refused(.reset)).finding == .agreement)
    #expect(world.comparer.compare(flow, .delivered).finding == .kernelDisagrees)
    let unusable = world.comparer.compare(flow, .unusable("lost"))
    #expect(unusable.finding == .undecided("lost") && unusable.observed == nil)
  }

  @Test("a model without deviations agrees with the oracle on every flow of every case")
  func modelIsOracle() throws {
    for deviation in Self.cases {
      let world = try SmallWorld(policies: deviation.policies, extra: deviation.extra)
      let oracle = Oracle(world.cluster)
      let plain = DeviationModel(world.cluster, oracle, EnforcementStyle.kubeRouterNftables.traits.making([]))
      let topology = world.comparer.enforced.topology
      let endpoints = world.cluster.pods.map { Endpoint.pod($0.id) } + world.cluster.nodes.map { .node($0.name) }
      for from in endpoints {
        for to in endpoints {
          for port: UInt16 in [80, 8080, 8081, 9000, 9090, 30000] {
            guard let flow = topology.flow(from: from, to: to, TransportPort(.tcp, port), .v4) else { continue }
            #expect(plain.verdict(flow) == oracle.judge(flow).verdict, "\(flow)")
          }
        }
      }
    }
  }
}
