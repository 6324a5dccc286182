internal import NetpolModel
internal import RuleIR

/// How kube-router's versions differ, as data. KubeRouter.swift has what they share.
struct KubeRouterVersion: Sendable {
  let backend: EnforcementStyle.Backend
  let comments: Comments
  /// Transports that the NodePort exemption in KUBE-ROUTER-INPUT covers.
  let nodePortTransports: [Transport]
  let acceptance: Acceptance
  /// True if each policy chain ends with a log rule. Annotations of the policy can change its limit.
  let logsInPolicyChains: Bool

  /// Where traffic that has passed the pod chains is accepted.
  enum Acceptance: Sendable {
    /// In INPUT, FORWARD and OUTPUT themselves, after the jump.
    case builtInChains
    /// At the end of the KUBE-ROUTER chains, after a jump to KUBE-NWPLCY-TAIL, which holds the rules of default-deny.
    case routerChains
  }

  /// The comments on rules, which iptables-save shows.
  struct Comments: Sendable {
    /// On a policy rule. `named` is true if the rule is for a named port.
    let policyRule: @Sendable (Direction, PeerKind, PolicyID, _ named: Bool) -> String
    let jumpToPolicy: @Sendable (PolicyID) -> String
    let toPod: @Sendable (PodID, _ chain: ChainName) -> String
    let fromPod: @Sendable (PodID, _ chain: ChainName) -> String
    let podLog: @Sendable (PodID) -> String
    let podReject: @Sendable (PodID) -> String
    let common: String
    let localNode: String
    let defaultDirection: @Sendable (Direction) -> String
    let accepted: String
    let explicitAccept: String
    let chains: FixedChainComments
    /// nft also has comments on tables, chains and sets.
    let onObjects: ObjectComments?
  }

  /// Comments on the rules of the chains that every node has.
  struct FixedChainComments: Sendable {
    let dropInvalid: String
    let acceptEstablished: String
    let icmp: @Sendable (ICMPMessage) -> String
    let markAllowed: String
    let clearMark: String?
    let serviceRange: String
    let nodePorts: @Sendable (Transport) -> String
    let externalRange: @Sendable (CIDR) -> String
    let loadBalancerRange: @Sendable (CIDR) -> String
    let jumpToTail: String
  }

  struct ObjectComments: Sendable {
    let table: @Sendable (String) -> String
    let baseChain: @Sendable (ChainName) -> String
    let fixedChain: @Sendable (ChainName) -> String
    let policyChain: @Sendable (PolicyID) -> String
    let podChain: @Sendable (PodID) -> String
    let set: @Sendable (NamedSet.Kind, _ isExcept: Bool) -> String
    let localPods: String
  }

  /// ICMP messages that policies never block (D5): the type number, and the name in the comments of each back end.
  struct ICMPMessage: Sendable {
    let type: UInt8
    let iptablesName: String
    let nftName: String

    static func all(_ family: IPFamily) -> [ICMPMessage] {
      let errors: [(UInt8, String, String)] =
        switch family {
        case .v4:
          [
            (8, "echo requests", "echo-request"),
            (3, "destination unreachable messages", "destination-unreachable"),
            (11, "time exceeded messages", "time-exceeded"),
          ]
        case .v6:
          [
            (128, "echo requests", "echo-request"),
            (1, "destination unreachable messages", "destination-unreachable"),
            (3, "time exceeded messages", "time-exceeded"),
            (135, "neighbor solicitation messages", "nd-neighbor-solicit"),
            (136, "neighbor advertisement messages", "nd-neighbor-advert"),
            (129, "echo reply messages", "echo-reply"),
          ]
        }
      return errors.map { ICMPMessage(type: $0.0, iptablesName: $0.1, nftName: $0.2) }
    }
  }

  /// Which peers a policy rule matches.
  enum PeerKind: Sendable { case pods, any, ipBlocks }

  /// k3s-io/kube-router v2.6.3-k3s1, which k3s embeds.
  static let k3s = KubeRouterVersion(
    backend: .iptables,
    comments: Comments(
      policyRule: { direction, peers, policy, _ in
        let what =
          switch (direction, peers) {
          case (_, .pods): "source pods to dest pods selected by policy name"
          case (.ingress, .any): "all sources to dest pods selected by policy name:"
          case (.ingress, .ipBlocks): "specified ipBlocks to dest pods selected by policy name:"
          case (.egress, .any): "source pods to all destinations selected by policy name:"
          case (.egress, .ipBlocks): "source pods to specified ipBlocks selected by policy name:"
          }
        return "rule to ACCEPT traffic from \(what) \(policy.name) namespace \(policy.namespace)"
      },
      jumpToPolicy: { "run through nw policy \($0.name)" },
      toPod: { "rule to jump traffic destined to POD name:\($0.name) namespace: \($0.namespace) to chain \($1)" },
      fromPod: { "rule to jump traffic from POD name:\($0.name) namespace: \($0.namespace) to chain \($1)" },
      podLog: { "rule to log dropped traffic POD name:\($0.name) namespace: \($0.namespace)" },
      podReject: { "rule to REJECT traffic destined for POD name:\($0.name) namespace: \($0.namespace)" },
      common: "common bi-directional traffic policy rules",
      localNode: "rule to permit the traffic traffic to pods when source is the pod's local node",
      defaultDirection: { "run through default \($0.keyword) network policy chain" },
      accepted: "set mark to ACCEPT traffic that comply to network policies",
      explicitAccept: "KUBE-ROUTER rule to explicitly ACCEPT traffic that comply to network policies",
      chains: iptablesChains, onObjects: nil),
    nodePortTransports: [.tcp, .udp], acceptance: .builtInChains, logsInPolicyChains: true)

  /// cloudnativelabs/kube-router v2.11.1.
  static let upstream = KubeRouterVersion(
    backend: .iptables,
    comments: upstreamComments(
      explicitAccept: "rule to explicitly ACCEPT traffic that comply to network policies", iptablesChains, nil),
    nodePortTransports: [.tcp, .udp, .sctp], acceptance: .routerChains, logsInPolicyChains: false)

  /// The nftables back end of the same version.
  static let upstreamNft = KubeRouterVersion(
    backend: .nftables,
    comments: upstreamComments(
      explicitAccept: "accept netpol-ok",
      FixedChainComments(
        dropInvalid: "drop invalid state", acceptEstablished: "accept established/related",
        icmp: { "allow icmp \($0.nftName) messages" }, markAllowed: "mark netpol match",
        clearMark: "clear netpol mark", serviceRange: "allow cluster IP range",
        nodePorts: { "allow \($0.keyword) nodeport" },
        externalRange: { _ in "allow traffic to External IP range" }, loadBalancerRange: { _ in "allow LB IP range" },
        jumpToTail: "netpol accept/reject"),
      ObjectComments(
        table: { "rules for \($0)" }, baseChain: { "top level \($0) chain for kube-router" },
        fixedChain: { "\($0) chain for kube-router" }, policyChain: { short("netpol \($0)") },
        podChain: { short("podfw \($0)") },
        set: { kind, isExcept in
          kind == .interval ? (isExcept ? "netpol ipblock except set" : "netpol ipblock set") : "netpol set"
        }, localPods: "programmed local pod IPs")),
    nodePortTransports: [.tcp, .udp, .sctp], acceptance: .routerChains, logsInPolicyChains: false)

  private static let iptablesChains = FixedChainComments(
    dropInvalid: "\"rule to drop invalid state for pod\"",
    acceptEstablished: "\"rule for stateful firewall for pod\"", icmp: { "allow icmp \($0.iptablesName)" },
    markAllowed: "rule to mark traffic matching a network policy", clearMark: nil,
    serviceRange: "allow traffic to primary/secondary cluster IP range",
    nodePorts: { "allow LOCAL \($0.rawValue) traffic to node ports" },
    externalRange: { "allow traffic to external IP range: \($0)" },
    loadBalancerRange: { "allow traffic to load balancer IP range: \($0)" },
    jumpToTail: "rule to explicitly handle traffic for network policies ACCEPT/REJECT decision")

  private static func upstreamComments(
    explicitAccept: String, _ chains: FixedChainComments, _ onObjects: ObjectComments?
  ) -> Comments {
    Comments(
      policyRule: { direction, peers, policy, named in
        let what =
          switch peers {
          case .pods: "pods"
          case .any: "any"
          case .ipBlocks: "cidr"
          }
        return short("\(policy) \(direction.keyword) \(what)\(named ? " np" : "")")
      },
      jumpToPolicy: { short("\($0) policy") },
      toPod: { pod, _ in short("\(pod) in") },
      fromPod: { pod, _ in short("\(pod) out") },
      podLog: { short("\($0) log-drop") },
      podReject: { short("\($0) reject") },
      common: "common netpol rules",
      localNode: "from local node",
      defaultDirection: { "default \($0.keyword)" },
      accepted: "set netpol-ok mark", explicitAccept: explicitAccept, chains: chains, onObjects: onObjects)
  }

  /// Removes control characters and cuts the text to 120 bytes, which both back ends can hold.
  static func short(_ text: String) -> String {
    let printable = text.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 }
    return String(decoding: String(String.UnicodeScalarView(printable)).utf8.prefix(120), as: UTF8.self)
  }
}
