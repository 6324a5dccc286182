public import Text

/// Objects as their metadata alone, as client-go's metadata informers ask for them (`metav1.PartialObjectMetadata`).
public enum PartialMetadata {
  /// Whether the client prefers them to whole objects: `as=PartialObjectMetadata;g=meta.k8s.io;v=v1`, or
  /// `as=PartialObjectMetadataList` for a list.
  public static func isAsked(accept: String) -> Bool { ObjectRendering(accept: accept) == .metadata }

  public static func object(_ json: JSON) -> JSON {
    [
      "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
      "metadata": .object(json["metadata"]?.fields ?? [:]),
    ]
  }

  /// `continue`: the token for the next page.
  public static func list(_ objects: [JSON], resourceVersion: String, continue token: String? = nil) -> JSON {
    [
      "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
      "metadata": listMetadata(resourceVersion: resourceVersion, continue: token),
      "items": .array(objects.map(object)),
    ]
  }
}

/// `metav1.ListMeta`.
func listMetadata(resourceVersion: String, continue token: String?) -> JSON {
  var metadata: JSON = ["resourceVersion": .string(resourceVersion)]
  if let token, !token.isEmpty { metadata["continue"] = .string(token) }
  return metadata
}
