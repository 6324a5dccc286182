/// A condition of a rule that a flow does not meet. One peer or port may have several.
public enum Miss: Hashable, Sendable {
  /// A selector, and an end that is no pod.
  case notAPod(Endpoint, IPAddress)
  /// A selector, and a pod on its node's network, which speaks as this address.
  case hostNetwork(PodID, IPAddress)
  /// A podSelector without namespaceSelector means the pods of the policy's own namespace.
  case otherNamespace(own: String, PodID)
  case namespaceLabel(LabelMiss, of: String)
  /// The same, and the input has no Namespace object, so that its labels are not known.
  case unknownNamespace(LabelMiss, String)
  case podLabel(LabelMiss, of: PodID)
  /// An ipBlock of the other family.
  case otherFamily(CIDR, IPAddress)
  case outsideBlock(CIDR, IPAddress)
  /// The entry of `except` that holds the address, by index.
  case excepted(CIDR, IPAddress, entry: Int)
  /// Rules with ports, and a packet without.
  case noPorts
  case otherTransport(Transport, asked: Transport)
  case otherPort(PortRange, asked: UInt16)
  /// A port's name, and a destination that is no pod with ports of its own.
  case nameWithoutPod(String, Endpoint)
  /// A port's name that no container of the pod gives to a port of this transport.
  case unknownName(String, Transport, PodID)
  /// A port's name that means other ports of the pod.
  case otherNamedPort(String, [UInt16], asked: UInt16)
}

/// A requirement of a selector that labels don't meet.
public struct LabelMiss: Hashable, Sendable {
  public let requirement: LabelSelector.Expression
  /// The label's value; `nil` if the object has no such label.
  public let value: String?
  /// Other labels of the object that have a value which the requirement asks for, or a key that ends alike.
  public let similar: [String]

  public init?(_ requirement: LabelSelector.Expression, _ labels: Labels) {
    if requirement.matches(labels) { return nil }
    self.requirement = requirement
    value = labels[requirement.key]
    let key = requirement.key
    similar = labels.filter { label in
      label.key != key
        && (requirement.values.contains(label.value) || label.key.hasSuffix("/\(key)")
          || key.hasSuffix("/\(label.key)"))
    }.map { "\($0.key)=\($0.value)" }.sorted()
  }
}

extension LabelSelector {
  /// All requirements, one after the other: `matchLabels` sorted by key, then `matchExpressions`.
  public var requirements: [Expression] {
    matchLabels.sorted { $0.key < $1.key }.map { Expression(key: $0.key, operator: .in, values: [$0.value]) }
      + matchExpressions
  }

  public func misses(_ labels: Labels) -> [LabelMiss] { requirements.compactMap { LabelMiss($0, labels) } }
}
