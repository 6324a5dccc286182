internal import NetpolModel

extension Namespace {
  init(_ object: ManifestObject, _ validation: Validation) throws(ManifestError) {
    self.init(name: try object.name(validation, NameSyntax.isDNSLabel), labels: try object.labels(validation))
  }
}
