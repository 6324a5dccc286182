/// What a cluster has beside what the input tells of it. Who judges objects alone must not take it for absent.
public struct Unseen: Hashable, Sendable {
  /// Namespaces with objects of other projects, whose controllers may make pods that the input lacks.
  public var podsIn: Set<String> = []
  /// API groups of other projects that the input has or defines: their controllers give pods labels such as
  /// `longhorn.io/component`.
  public var groups: Set<String> = []
  /// Kinds of policies that other engines enforce: `AdminNetworkPolicy`.
  public var policyKinds: Set<String> = []
  /// Nodes whose pod CIDRs the input doesn't state.
  public var podCIDRsOf: Set<String> = []

  public init() {}
}
