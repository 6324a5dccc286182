internal import Manifests
internal import Text

/// In which form a client wants to see objects.
public enum ObjectForm: Hashable, Sendable {
  case whole

  /// By the header `Accept`.
  init(_ request: APIRequest, _ type: ResourceType, _ now: APITime) { self = .whole }

  /// An object in this form.
  public func bytes(_ object: StoredObject) -> [UInt8] { object.bytes }

  /// The same of one that isn't stored.
  func bytes(of json: JSON) -> [UInt8] { json.bytes }

  /// The object of a bookmark: the watched type's kind, and how far the stream is. `endsInitial`: all that there was has
  /// been sent (KEP-3157).
  public func bookmark(_ type: ResourceType, _ version: UInt64, endsInitial: Bool) -> [UInt8] {
    let annotations = endsInitial ? #","annotations":{"k8s.io/initial-events-end":"true"}"# : ""
    return Array(
      (#"{"kind":"\#(type.kind)","apiVersion":"\#(type.apiVersion)","metadata":{"resourceVersion":"\#(version)""#
        + annotations + "}}").utf8)
  }

  func list(
    _ objects: [StoredObject], of type: ResourceType, resourceVersion: UInt64, next: String?, remaining: Int
  ) -> JSON { .null }
}

extension StoredObject {
  /// The object again as a value.
  var json: JSON { (try? JSON(reading: String(decoding: bytes, as: UTF8.self), named: "object")) ?? .empty }
}
