/// As what a client wants objects.
enum ObjectRendering: Hashable, Sendable {
  case object
  case table
  case metadata

  /// The first that the client asks for, as apiserver's `NegotiateOutputMediaType` chooses: what is unknown is left out.
  /// `nil` if none is left.
  init?(accept: String) {
    let rendering: Self? = MediaTypes(accept: accept).first { asked in
      if asked.isItself { return .object }
      guard asked.group == "meta.k8s.io", asked.version == "v1" else { return nil }
      return switch asked.kind {
      case "Table": .table
      case "PartialObjectMetadata", "PartialObjectMetadataList": .metadata
      default: nil
      }
    }
    guard let rendering else { return nil }
    self = rendering
  }
}
