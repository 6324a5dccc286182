/// The cluster that the sources describe together: YAML or JSON, any number of documents and Lists.
/// The first thing that is wrong ends the reading.
public func readManifests(_ sources: [ManifestSource], options: ReadOptions = .init()) throws(ManifestError)
  -> ManifestReading
{
  var inventory = Inventory(options)
  for source in sources { try inventory.add(source) }
  let assembly = try Assembly(inventory)
  return ManifestReading(cluster: assembly.cluster, notes: assembly.notes, objectCount: inventory.objectCount)
}
