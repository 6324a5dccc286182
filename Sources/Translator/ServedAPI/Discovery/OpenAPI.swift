public import Text

/// The least of OpenAPI that makes kubectl leave the validation of objects to the server: for each type an operation
/// `patch` with a parameter `fieldValidation` (kubectl's `pkg/util/openapi` and `QueryParamVerifierV3`). There are no
/// schemas, so `kubectl explain` finds nothing. Tried with kubectl 1.29 to 1.33; 1.27 and 1.28 want `/openapi/v2` to
/// validate, and work with `--validate=false`.
public struct OpenAPI: Sendable {
  /// By what follows `/openapi/v3/` in the path: `api/v1`, `apis/apps/v1`.
  private let documents: [String: JSON]

  public init(_ types: [ResourceType], version: ServerVersion = ServerVersion()) {
    let byRoot = Dictionary(grouping: types) { String($0.root.dropFirst()) }
    documents = byRoot.mapValues { types in
      [
        "openapi": "3.0.0", "info": ["title": "netpol-lab", "version": .string(version.gitVersion)],
        "paths": .object(Dictionary(types.map { ($0.objectPath, $0.pathItem) }) { first, _ in first }),
        // Without them `kubectl explain` fails with a fault of its template, not with a message.
        "components": ["schemas": [:]],
      ]
    }
  }

  /// The body of `/openapi/v3`. Each document's address changes with its text, since clients keep documents by address.
  public var index: JSON {
    let paths = documents.map { path, document -> (String, JSON) in
      (path, ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(Self.hash(document.bytes))")])
    }
    return ["paths": .object(Dictionary(paths) { first, _ in first })]
  }

  /// The body of `/openapi/v3/PATH`: `api/v1`, `apis/apps/v1`. `nil` for what isn't served.
  public func document(_ path: String) -> JSON? { documents[path] }

  /// FNV-1a with 64 bits. Nothing is protected by it.
  private static func hash(_ bytes: [UInt8]) -> String {
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16, uppercase: true)
  }
}

extension ResourceType {
  /// The path of an object in OpenAPI's form: `/apis/apps/v1/namespaces/{namespace}/deployments/{name}`.
  fileprivate var objectPath: String { root + (isNamespaced ? "/namespaces/{namespace}" : "") + "/\(plural)/{name}" }

  fileprivate var pathItem: JSON {
    [
      "patch": [
        "parameters": [["name": "fieldValidation", "in": "query", "schema": ["type": "string"]]],
        "responses": ["200": ["description": "OK"]],
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": [
          "group": .string(group), "version": .string(version), "kind": .string(kind),
        ],
      ]
    ]
  }
}

extension OpenAPI {
  /// An OpenAPI v2 document without paths, in the only form that kubectl reads: gnostic's `openapi.v2.Document` as protobuf,
  /// with `swagger` (1), `info` (2: title, version), `paths` (8) and `definitions` (9). kubectl before 1.29 asks for no other
  /// one, and newer ones do for `kind: List`; with a 404 they apply nothing.
  static let leastV2: [UInt8] =
    [0x0a, 0x03] + Array("2.0".utf8) + [0x12, 0x0f, 0x0a, 0x0a] + Array("netpol-lab".utf8)
    + [0x12, 0x01] + Array("1".utf8) + [0x42, 0x00, 0x4a, 0x00]
  static let typeOfV2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
}
