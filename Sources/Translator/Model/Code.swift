/// Every reason and every "not asked" that reports print, by a stable code. docs/codes has a page for each, and
/// examples/codes the smallest cluster that shows it, or a test provokes it. A number is never used again.
public enum Code: String, Hashable, Sendable, CaseIterable {
  /// A pod always reaches itself.
  case sameEndpoint = "NPL-101"
  /// The pod's own node can always reach it.
  case ownNode = "NPL-102"
  /// No policy isolates this end.
  case notIsolated = "NPL-103"
  /// A rule of a policy admits the flow.
  case admitted = "NPL-104"
  /// Policies isolate this end, and no rule admits the flow.
  case isolated = "NPL-105"
  /// The peer is a host-network pod, which no selector selects.
  case hostNetworkPeer = "NPL-106"
  /// A Service or hostPort translates the destination.
  case translated = "NPL-201"
  /// The sender's policies see the address before it is translated.
  case notYetTranslated = "NPL-202"
  /// The port is a Service's, but not at this address.
  case unserved = "NPL-203"
  /// NodeLocal DNS answers on the node.
  case localDNS = "NPL-204"
  /// A pod of servicelb sends the packet on.
  case forwarded = "NPL-205"
  /// The servicelb pod drops the sender.
  case outOfForwardRanges = "NPL-206"
  /// Pods and nodes send the packet around in a loop.
  case forwardingLoop = "NPL-207"
  /// The client is outside loadBalancerSourceRanges.
  case outOfSourceRanges = "NPL-208"
  /// The Service has no endpoint that can receive packets.
  case noEndpoints = "NPL-209"
  /// Traffic policy Local, and no endpoint on this node.
  case noLocalEndpoints = "NPL-210"
  /// The ClusterIP does not serve this port.
  case unservedClusterIP = "NPL-211"
  /// No Service has this address for ClusterIPs.
  case unallocatedClusterIP = "NPL-212"
  /// A selector, and the peer is no pod.
  case missNotAPod = "NPL-301"
  /// A selector, and the peer is on its node's network.
  case missHostNetwork = "NPL-302"
  /// A podSelector without namespaceSelector means the policy's own namespace.
  case missOtherNamespace = "NPL-303"
  /// The peer's namespace lacks a label.
  case missNamespaceLabel = "NPL-304"
  /// The peer lacks a label.
  case missPodLabel = "NPL-305"
  /// The ipBlock is of the other address family.
  case missOtherFamily = "NPL-306"
  /// The address is not in the ipBlock.
  case missOutsideBlock = "NPL-307"
  /// The address is in the ipBlock's except.
  case missExcepted = "NPL-308"
  /// The rule names ports, and the packet has none.
  case missNoPorts = "NPL-309"
  /// The rule is for another protocol.
  case missOtherTransport = "NPL-310"
  /// The port is not in the rule's ports.
  case missOtherPort = "NPL-311"
  /// A port's name, and the destination is no pod.
  case missNameWithoutPod = "NPL-312"
  /// No container gives the port this name.
  case missUnknownName = "NPL-313"
  /// The port's name means another number there.
  case missOtherNamedPort = "NPL-314"
  /// The labels of the namespace are not in the input.
  case unknownNamespace = "NPL-315"
  /// Rules that are not in force: policyTypes does not name their direction.
  case otherTypes = "NPL-316"
  /// The policy selects a host-network pod.
  case selectsInVain = "NPL-317"
  /// Not asked: Services by IPVS.
  case ipvs = "NPL-401"
  /// Not asked: Services by eBPF programs.
  case ebpf = "NPL-402"
  /// Not asked: the endpoint is an address of a Service that may refuse.
  case endpointOfRefusing = "NPL-403"
  /// Not asked: the endpoint is an address of another Service.
  case endpointOfChoosing = "NPL-404"
  /// Not asked: a hostPort without portmap.
  case hostPortMapping = "NPL-405"
  /// Not asked: a servicelb pod whose destination nothing tells.
  case balancer = "NPL-406"
  /// Not asked: two pods with the same hostPort on a node.
  case hostPortTwice = "NPL-407"
  /// Not asked: a mesh's proxy in the pod.
  case mesh = "NPL-408"
  /// Not asked: more than 63 endpoints behind one port.
  case manyEndpoints = "NPL-409"
  /// Nobody has the address.
  case nobody = "NPL-501"
  /// The host outside has no route to pods.
  case noRouteToPods = "NPL-503"
  /// ClusterIPs are known only inside the cluster.
  case onlyInside = "NPL-504"
  /// A loopback address can't leave a node.
  case loopbackSource = "NPL-505"
  /// Answers to NodeLocal DNS's address don't come back.
  case localDNSAnswer = "NPL-506"
  /// Multicast stays in the sender's network.
  case group = "NPL-507"
  /// The packet is forwarded in a loop.
  case loop = "NPL-508"
  /// The reply goes past the node that translated.
  case replyPastTranslator = "NPL-509"
  /// The reply bypasses conntrack on the bridge.
  case replyOnBridge = "NPL-510"
  /// The kernel's answer proves nothing.
  case undecided = "NPL-601"
  /// SCTP can't be sent on this machine.
  case noSCTP = "NPL-602"
  /// No packets: the machine can't make namespaces.
  case noPackets = "NPL-603"
  /// The kernel's trace is incomplete.
  case traceLost = "NPL-604"
  /// The flow's packet is not traced.
  case notTraced = "NPL-605"
  /// Not asked: a multicast group over IPv6, or not over UDP.
  case groupKind = "NPL-606"
  /// Not in the lab: the pod is on no node.
  case podOnNoNode = "NPL-701"
  /// Not in the lab: the pod has ended.
  case podEnded = "NPL-702"
  /// Not in the lab: the pod has no address yet.
  case podWithoutAddress = "NPL-703"
  /// Not in the lab: the pod's address is another's.
  case podAddressTaken = "NPL-704"
  /// Nothing to ask: both ends are the same.
  case sameEnd = "NPL-705"
  /// Nothing to ask: both ends use the same network.
  case sameNetwork = "NPL-706"
  /// Nothing to ask: both ends are outside the cluster.
  case bothOutside = "NPL-707"
  /// Nothing to ask: the ends have no address family in common.
  case noCommonFamily = "NPL-708"
  /// Nothing to ask: no pod has an address of the ends' family.
  case familyWithoutPods = "NPL-709"
  /// Nothing to ask: the Service has no port.
  case noPorts = "NPL-710"
  /// Nothing to ask: the load balancer itself translates the address.
  case translatedElsewhere = "NPL-711"
  /// Nothing to ask: nobody else could be the other end.
  case noOtherEnd = "NPL-712"
  /// Lint: the policy selects no pod.
  case lintSelectsNoPod = "NPL-801"
  /// Lint: the peer selects no pod.
  case lintPeerSelectsNoPod = "NPL-802"
  /// Lint: DNS over UDP alone.
  case lintDNSOverUDP = "NPL-803"
  /// Lint: policyTypes names Egress, and the policy has ingress rules alone.
  case lintEmptyEgress = "NPL-804"
  /// Lint: the peer selects only host-network pods.
  case lintHostNetworkPeer = "NPL-805"
  /// Lint: an ipBlock with addresses of Services.
  case lintServiceAddress = "NPL-806"
  /// Lint: an ipBlock with addresses of pods.
  case lintBlockOverPods = "NPL-807"
  /// Lint: the peer selects only pods of Jobs.
  case lintJobPeer = "NPL-808"
  /// Lint: the policy changes no verdict.
  case lintAddsNothing = "NPL-809"
  /// Lint: a policy with both types and rules of one direction, under kube-router.
  case lintBothTypes = "NPL-810"
  /// Lint: a Service is open to the outside, and its pods admit nobody from there.
  case lintNodePort = "NPL-811"
  /// Lint: ::/0 under kube-router.
  case lintWholeIPv6 = "NPL-812"
  /// Lint: a namespace without policies, beside others that have some.
  case lintBareNamespace = "NPL-813"
}

extension Code: CustomStringConvertible {
  public var description: String { rawValue }
}

extension Reason {
  public var code: Code {
    switch self {
    case .sameEndpoint: .sameEndpoint
    case .ownNode: .ownNode
    case .notIsolated: .notIsolated
    case .admitted: .admitted
    case .isolated: .isolated
    case .hostNetworkPeer: .hostNetworkPeer
    case .translated: .translated
    case .notYetTranslated: .notYetTranslated
    case .unserved: .unserved
    case .localDNS: .localDNS
    case .forwarded: .forwarded
    case .outOfForwardRanges: .outOfForwardRanges
    case .forwardingLoop: .forwardingLoop
    case .outOfSourceRanges: .outOfSourceRanges
    case .noEndpoints: .noEndpoints
    case .noLocalEndpoints: .noLocalEndpoints
    case .unservedClusterIP: .unservedClusterIP
    case .unallocatedClusterIP: .unallocatedClusterIP
    }
  }
}

extension Miss {
  public var code: Code {
    switch self {
    case .notAPod: .missNotAPod
    case .hostNetwork: .missHostNetwork
    case .otherNamespace: .missOtherNamespace
    case .namespaceLabel: .missNamespaceLabel
    case .podLabel: .missPodLabel
    case .otherFamily: .missOtherFamily
    case .outsideBlock: .missOutsideBlock
    case .excepted: .missExcepted
    case .noPorts: .missNoPorts
    case .otherTransport: .missOtherTransport
    case .otherPort: .missOtherPort
    case .nameWithoutPod: .missNameWithoutPod
    case .unknownName: .missUnknownName
    case .otherNamedPort: .missOtherNamedPort
    case .unknownNamespace: .unknownNamespace
    }
  }
}

extension Unmodelled {
  public var code: Code {
    switch self {
    case .ipvs: .ipvs
    case .ebpf: .ebpf
    case .endpointOfRefusing: .endpointOfRefusing
    case .endpointOfChoosing: .endpointOfChoosing
    case .hostPortMapping: .hostPortMapping
    case .balancer: .balancer
    case .hostPortTwice: .hostPortTwice
    case .mesh: .mesh
    case .manyEndpoints: .manyEndpoints
    }
  }
}

extension NoRoute {
  public var code: Code {
    switch self {
    case .nobody: .nobody
    case .noRouteToPods: .noRouteToPods
    case .onlyInside: .onlyInside
    case .loopbackSource: .loopbackSource
    case .localDNSAnswer: .localDNSAnswer
    case .group: .group
    case .loop: .loop
    case .replyPastTranslator: .replyPastTranslator
    case .replyOnBridge: .replyOnBridge
    // Whoever asks about them is told earlier that they don't exist.
    case .podNotInLab, .noSuchHost, .noSuchNode, .serviceSends: .nobody
    }
  }
}
