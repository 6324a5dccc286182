internal import Foundation

/// A JSON schema (draft 4), with the keywords that the SARIF schema uses. `format` is not checked.
package struct JSONSchema: @unchecked Sendable {
  private let root: [String: Any]

  /// Returns `nil` if the text is no JSON object.
  package init?(_ text: String) {
    guard let root = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else { return nil }
    self.root = root
  }

  /// What is wrong with a JSON text: a place and a problem each. Empty if it is valid.
  package func problems(_ json: String) -> [String] {
    guard let value = try? JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed) else {
      return ["is no JSON"]
    }
    return problems(value, root, "")
  }

  private func problems(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
    if let reference = schema["$ref"] as? String {
      let name = reference.split(separator: "/").last.map(String.init) ?? ""
      guard let definition = (root["definitions"] as? [String: Any])?[name] as? [String: Any] else {
        return reference == "#" ? problems(value, root, place) : ["\(place): no definition \(reference)"]
      }
      return problems(value, definition, place)
    }
    var found: [String] = []
    let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
    if !types.isEmpty, !types.contains(where: { isOf($0, value) }) { return ["\(place): is no \(types)"] }
    if let allowed = schema["enum"] as? [Any], !allowed.contains(where: { written($0) == written(value) }) {
      found.append("\(place): \(value) is not among \(allowed)")
    }
    for alternatives in ["anyOf", "oneOf"].compactMap({ schema[$0] as? [[String: Any]] })
    where !alternatives.contains(where: { problems(value, $0, place).isEmpty }) {
      found.append("\(place): fits none of the alternatives")
    }
    switch value {
    case let object as [String: Any]: found += problems(object, schema, place)
    case let array as [Any]: found += problems(array, schema, place)
    case let text as String:
      if let pattern = schema["pattern"] as? String, text.range(of: pattern, options: .regularExpression) == nil {
        found.append("\(place): \(text) does not match \(pattern)")
      }
    case let number as NSNumber:
      if let least = schema["minimum"] as? NSNumber, number.doubleValue < least.doubleValue {
        found.append("\(place): \(number) is below \(least)")
      }
      if let most = schema["maximum"] as? NSNumber, number.doubleValue > most.doubleValue {
        found.append("\(place): \(number) is above \(most)")
      }
    default: break
    }
    return found
  }

  private func problems(_ object: [String: Any], _ schema: [String: Any], _ place: String) -> [String] {
    let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
    let missing = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }.map { "\(place): no \($0)" }
    return missing
      + object.flatMap { name, value -> [String] in
        let place = "\(place).\(name)"
        if let own = properties[name] { return problems(value, own, place) }
        if let others = schema["additionalProperties"] as? [String: Any] { return problems(value, others, place) }
        let isForbidden = (schema["additionalProperties"] as? NSNumber)?.boolValue == false
        return isForbidden ? ["\(place): unknown"] : []
      }
  }

  private func problems(_ array: [Any], _ schema: [String: Any], _ place: String) -> [String] {
    var found: [String] = []
    if let least = schema["minItems"] as? NSNumber, array.count < least.intValue {
      found.append("\(place): fewer than \(least) items")
    }
    if (schema["uniqueItems"] as? NSNumber)?.boolValue == true, Set(array.map(written)).count < array.count {
      found.append("\(place): items are repeated")
    }
    guard let items = schema["items"] as? [String: Any] else { return found }
    return found + array.enumerated().flatMap { problems($1, items, "\(place)[\($0)]") }
  }

  private func isOf(_ type: String, _ value: Any) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "boolean": ["true", "false"].contains(written(value))
    case "integer": Int(written(value)) != nil
    case "number": Double(written(value)) != nil
    case "null": value is NSNull
    default: false
    }
  }

  private func written(_ value: Any) -> String {
    let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .sortedKeys]
    return String(
      decoding: (try? JSONSerialization.data(withJSONObject: value, options: options)) ?? Data(), as: UTF8.self)
  }
}
