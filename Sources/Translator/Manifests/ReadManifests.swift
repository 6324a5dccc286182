internal import NetpolModel

/// Reads the cluster that the sources describe together, and its expectations. Sources are YAML or JSON, with any
/// number of documents and Lists. Throws at the first error. Groups that add files are checked only as far as possible
/// without them. `ManifestReading.cluster(of:addedSources:)` does the rest.
public func readManifests(_ sources: [ManifestSource], options: ReadOptions = .init()) throws(ManifestError)
  -> ManifestReading
{
  var inventory = Inventory(options)
  for source in sources { try inventory.add(source) }
  try inventory.expectations.checkComparisons()
  var assembly = try Assembly(inventory)
  assembly.addEndpointSlices()

  let known = ClusterNames(assembly.cluster)
  let names = inventory.expectations.names
  let groups = inventory.expectations.groups
  for group in groups where group.variant?.add.isEmpty ?? true {
    for use in names[group.name] ?? [] { try use.check(in: known) }
  }
  var reading = ManifestReading(
    cluster: assembly.cluster, notes: assembly.notes, objectCount: inventory.objectCount, expectations: groups)
  reading.impliesServiceCIDRs = assembly.impliesServiceCIDRs
  reading.sources = sources
  reading.options = options
  reading.names = names
  return reading
}
