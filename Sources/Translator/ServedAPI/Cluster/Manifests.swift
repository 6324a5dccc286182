public import Manifests
internal import Text

extension ServedCluster {
  /// All objects as one List, as `kubectl get -o json` prints them. Read back with `Validation.asStored`, they are the
  /// cluster as its clients see it now.
  public var manifests: ManifestSource {
    var bytes = Array(#"{"kind":"List","apiVersion":"v1","items":["#.utf8)
    var isFirst = true
    for type in types {
      for key in store.keys(type) {
        guard let object = store.object(key) else { continue }
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        bytes += object.bytes
      }
    }
    bytes += Array("]}".utf8)
    return ManifestSource(name: "api", text: String(decoding: bytes, as: UTF8.self))
  }
}
