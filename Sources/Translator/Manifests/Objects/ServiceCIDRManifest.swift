internal import Algorithms
internal import NetpolModel

/// A `networking.k8s.io` ServiceCIDR: networks from which the API server gives ClusterIPs.
struct ServiceCIDRManifest {
  let id: NamespacedName
  let cidrs: [CIDR]

  /// Whether this is the object with the networks of the API server's own options (`--service-cluster-ip-range`). Others
  /// only add to it.
  var isDefault: Bool { id.name == "kubernetes" }

  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    id = NamespacedName("", try object.name(validation))
    let remedy = "give one CIDR, or one of each family"
    guard let spec = try object.root["spec"]?.fields() else { throw object.root.missing("spec", remedy) }
    let field = try spec.required("cidrs", remedy)
    let entries = try field.list()
    let isStrict = validation == .apiServer
    cidrs = try entries.map { (entry) throws(ManifestError) in
      isStrict ? try entry.canonicalCIDR() : try entry.cidr()
    }
    guard isStrict else { return }
    if cidrs.isEmpty { throw field.error("is empty", remedy) }
    if cidrs.uniqued(on: \.family).count < cidrs.count {
      throw field.error("has two CIDRs of one family", "\(remedy); put the other into a ServiceCIDR of its own")
    }
  }
}
