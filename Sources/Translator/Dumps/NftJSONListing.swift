internal import Text
internal import Yams

/// The objects of a listing of nft, `{"nftables": [{…}, {…}]}`, read by Yams: JSON is YAML.
struct NftJSONListing {
  private let text: JSONText
  private let nodes: Yams.Node.Sequence

  /// Objects that begin with `prefix` are read as empty ones.
  init(_ text: String, omitting prefix: String? = nil) throws(Fault) {
    let json: JSONText
    do throws(NotJSON) {
      json = try JSONText(text)
    } catch {
      let place = Place(line: error.line, text: surroundings(of: error.offset, in: Array(text.utf8)))
      throw Fault(problem: Problem(error.problem), place: place)
    }
    var yaml = json.yaml(omitting: prefix)
    yaml.makeContiguousUTF8()
    do {
      // The basic resolver leaves the scalars as they are.
      let root = try Yams.compose(yaml: yaml, .basic, .default, .utf8)
      guard case .mapping(let listing)? = root, listing.count == 1, let (key, value) = listing.first,
        key.scalar?.string == "nftables", case .sequence(let nodes) = value
      else { throw Fault(problem: Problem("not what nft -j prints"), place: json.place(of: root?.mark)) }
      self.nodes = nodes
    } catch {
      throw (error as? Fault) ?? json.fault(error)
    }
    self.text = json
  }

  var indices: Range<Int> { nodes.indices }

  /// The place of an object. For anything else, the place where it begins.
  func place(_ index: Int) -> Place {
    guard nodes[index].scalar == nil, text.parts.indices.contains(index) else {
      return text.place(of: nodes[index].mark)
    }
    let part = text.parts[index]
    return Place(line: part.line, text: text.text(of: part))
  }

  func value(_ index: Int) throws(Fault) -> JSONValue { try value(nodes[index]) }

  private func value(_ node: Yams.Node) throws(Fault) -> JSONValue {
    switch node {
    case .scalar(let scalar):
      if scalar.style == .doubleQuoted { return .string(scalar.string) }
      guard let value = JSONValue(word: scalar.string) else {
        throw fault(scalar.string.isEmpty ? "a value is missing" : "\(scalar.string) is not JSON", node)
      }
      return value
    case .sequence(let nodes):
      var values: [JSONValue] = []
      for node in nodes { values.append(try value(node)) }
      return .array(values)
    case .mapping(let mapping):
      // YAML also reads `["a": 1]`, where the object begins with its key.
      if let key = mapping.first?.key.mark, key.line == mapping.mark?.line, key.column == mapping.mark?.column {
        throw fault("a pair outside of an object", node)
      }
      var fields: [String: JSONValue] = [:]
      for (key, node) in mapping {
        guard case .scalar(let name) = key, name.style == .doubleQuoted else { throw fault("a name is missing", key) }
        fields[name.string] = try value(node)
      }
      return .object(fields)
    case .alias: throw fault("an alias is not JSON", node)
    }
  }

  private func fault(_ problem: String, _ node: Yams.Node) -> Fault {
    Fault(problem: Problem(problem), place: text.place(of: node.mark))
  }
}

extension JSONValue {
  /// A value without quotes. `nil` if JSON has no such value.
  fileprivate init?(word: String) {
    switch word {
    case "null": self = .null
    case "true": self = .bool(true)
    case "false": self = .bool(false)
    default:
      guard let first = word.utf8.first, first < UInt8(ascii: ":"), Double(word) != nil else { return nil }
      self = .number(word)
    }
  }
}

extension JSONText {
  /// What Yams found.
  fileprivate func fault(_ error: any Error) -> Fault {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      Fault(problem: Problem("not JSON: \(problem)"), place: place(of: mark))
    case .duplicatedKeysInMapping(let keys, let context):
      Fault(problem: Problem("\(keys.first ?? "a name") appears twice"), place: place(of: context.mark))
    default: Fault(problem: Problem("not JSON"), place: place(of: nil))
    }
  }

  /// The text around a mark. Yams counts columns in what `yaml` returns, where escapes may have another length.
  fileprivate func place(of mark: Mark?) -> Place {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let number = min(max(mark?.line ?? 1, 1), lines.count)
    let line = lines[number - 1]
    let before = String(decoding: line, as: UTF8.self).unicodeScalars.prefix(max((mark?.column ?? 1) - 1, 0))
    let offset = line.startIndex + before.reduce(0) { $0 + UTF8.width($1) }
    return Place(line: number, text: surroundings(of: offset, in: bytes))
  }
}

/// The text around an offset, within its line.
private func surroundings(of offset: Int, in bytes: [UInt8]) -> String {
  let isEnd = { (byte: UInt8) in byte == UInt8(ascii: "\n") }
  var start = (bytes[..<offset].lastIndex(where: isEnd) ?? -1) + 1
  var end = bytes[offset...].firstIndex(where: isEnd) ?? bytes.count
  start = max(start, offset - 100)
  end = min(end, offset + 100)
  while start < end, bytes[start] & 0xc0 == 0x80 { start += 1 }
  while end < bytes.count, end > start, bytes[end] & 0xc0 == 0x80 { end -= 1 }
  return String(decoding: bytes[start..<end], as: UTF8.self)
}
