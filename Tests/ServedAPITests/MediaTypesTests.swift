// Not covered: Content-Type of requests.
import ServedAPI
import Testing
import Text

@Suite("What a client accepts") struct MediaTypesTests {
  static let table = "application/json;as=Table;v=v1;g=meta.k8s.io"
  static let partial = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"

  @Test(
    "JSON is an answer unless the client accepts other things alone",
    arguments: [
      ("", true), (" ", true), ("application/json", true), ("Application/JSON; charset=utf-8", true),
      ("application/*", true), ("*/*", true), ("text/html, */*;q=0.1", true),
      ("application/vnd.kubernetes.protobuf,application/json", true),
      ("application/vnd.kubernetes.protobuf", false), ("application/vnd.kubernetes.protobuf, */*;q=0", false),
      ("text/html", false), (";;,=", false), ("application/json;q=x", false), ("application/cbor", false),
    ])
  func asksForJSON(accept: String, accepts: Bool) { #expect(MediaTypes(accept: accept).acceptsJSON == accepts) }

  @Test(
    "a table is the answer if it is asked for before the objects",
    arguments: [
      ("\(table),application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", true),
      ("application/json;g=meta.k8s.io;v=v1;as=Table", true),
      ("application/json; as=\"Table\"; v=v1; g=meta.k8s.io", true),
      ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,\(table),application/json", true),
      ("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", false),
      ("application/json,\(table)", false), ("\(table);q=0.5,application/json", false),
      ("application/json;as=Table", false), (partial, false), ("*/*", false), ("", false),
    ])
  func asksForTable(accept: String, isTable: Bool) { #expect(ObjectTable.isAsked(accept: accept) == isTable) }

  @Test(
    "metadata alone is the answer if it is asked for before the objects",
    arguments: [
      (
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"
          + "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json", true
      ),
      (partial, true), ("application/json,\(partial)", false), ("\(table),\(partial)", false),
    ])
  func asksForMetadata(accept: String, isMetadata: Bool) {
    #expect(PartialMetadata.isAsked(accept: accept) == isMetadata)
  }

  @Test("an object as its metadata has nothing else of it") func partialObject() {
    let pod: JSON = ["kind": "Pod", "apiVersion": "v1", "metadata": ["name": "a"], "spec": ["nodeName": "n"]]
    let partial: JSON = [
      "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": ["name": "a"],
    ]
    #expect(PartialMetadata.object(pod) == partial)
    #expect(
      PartialMetadata.list([pod], resourceVersion: "7", continue: "more") == [
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": ["resourceVersion": "7", "continue": "more"], "items": [partial],
      ])
    #expect(PartialMetadata.list([], resourceVersion: "7")["metadata"] == ["resourceVersion": "7"])
  }
}
