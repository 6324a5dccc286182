public import Text

/// Objects of one type as kubectl prints them (`metav1.Table`): the server makes the cells, kubectl pads them.
public struct ObjectTable: Sendable {
  /// What a row holds of its object, besides the cells: the `includeObject` of a request.
  public enum Included: String, Hashable, Sendable {
    case none = "None"
    case metadata = "Metadata"
    case object = "Object"

    /// The value of the query's parameter; empty if it isn't there. Throws `badRequest` for another.
    public init(query: String) throws(APIStatus) {
      if query.isEmpty {
        self = .metadata
      } else if let value = Self(rawValue: query) {
        self = value
      } else {
        throw APIStatus(.badRequest, "unrecognized includeObject value: \"\(query)\"")
      }
    }
  }

  public let type: ResourceType
  public let columns: [TableColumn]
  /// In seconds since 1970: ages are measured from it.
  public let now: Int
  public let included: Included

  public init(of type: ResourceType, now: Int, including included: Included = .metadata) {
    self.type = type
    self.now = now
    self.included = included
    columns = type.tableColumns
  }

  /// Whether the client prefers a table to the objects: `as=Table;g=meta.k8s.io;v=v1` before `application/json`.
  public static func isAsked(accept: String) -> Bool { ObjectRendering(accept: accept) == .table }

  /// An object's row (`metav1.TableRow`).
  public func row(_ json: JSON) -> JSON {
    let object = TabledObject(json: json, now: now)
    var row: JSON = ["cells": .array(columns.map { $0.cell(object) })]
    switch included {
    case .none: break
    case .metadata: row["object"] = PartialMetadata.object(json)
    case .object: row["object"] = json
    }
    if type == .pods, let condition = object.completion { row["conditions"] = [condition] }
    return row
  }

  /// The table: of a list, or of one row for an object or a watch event. `continue`: the token for the next page.
  public func json(
    rows: [JSON], resourceVersion: String, continue token: String? = nil, withColumns: Bool = true
  ) -> JSON {
    [
      "kind": "Table", "apiVersion": "meta.k8s.io/v1",
      "metadata": listMetadata(resourceVersion: resourceVersion, continue: token),
      "columnDefinitions": .array(withColumns ? columns.map(\.json) : []),
      "rows": .array(rows),
    ]
  }
}
