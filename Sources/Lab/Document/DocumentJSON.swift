public import Foundation
package import Statistics

/// A document as JSON, as documented in docs/*-json.md: its schema, its facts, and its rows with column names as keys.
public struct DocumentJSON {
  private let document: Document

  public init(_ document: Document) { self.document = document }

  /// UTF-8, one line, keys in alphabetical order. Characters that could act on a terminal are escaped.
  public func data() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(Object(document: document)).escapingForTerminals
  }

  private struct Object: Encodable {
    let document: Document

    func encode(to encoder: any Encoder) throws {
      var object = encoder.container(keyedBy: Key.self)
      if let schema = document.schema { try object.encode(schema, forKey: Key("schema")) }
      for fact in document.facts {
        if let value = fact.value() { try object.encode(value, forKey: Key(fact.key)) }
      }
      if let rows = document.rows { try object.encode(RowObjects(table: rows), forKey: Key("rows")) }
    }
  }
}

extension Document {
  public func json() throws -> Data { try DocumentJSON(self).data() }
}

private struct Key: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(_ name: String) { stringValue = name }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

private struct RowObjects: Encodable {
  let table: Table

  func encode(to encoder: any Encoder) throws {
    var objects = encoder.unkeyedContainer()
    for row in table.rows {
      var object = objects.nestedContainer(keyedBy: Key.self)
      for (cell, column) in zip(row.cells, table.columns) {
        guard let key = column.key, let value = cell.value else { continue }
        try object.encode(value, forKey: Key(key))
      }
    }
  }
}

extension Table.Cell {
  /// `nil` if the value is absent.
  fileprivate var value: (any Encodable)? {
    switch self {
    case .text(let text): text.map { $0 }
    case .count(let count): count.map { $0 }
    case .truth(let truth): truth
    case .number(let number): number.map { $0 }
    case .estimate(let estimate): estimate.map { IntervalObject($0) }
    case .ends(let lower, let upper): [lower, upper]
    }
  }
}

/// An estimate with the ends of its 95 % interval.
package struct IntervalObject: Encodable {
  let value, lower, upper: Double
  package init(_ estimate: Estimate) { (value, lower, upper) = (estimate.value, estimate.lower, estimate.upper) }
}
