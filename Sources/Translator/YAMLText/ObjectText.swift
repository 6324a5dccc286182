package import NetpolModel

/// A document with one field per line.
package func object(_ version: String, _ kind: String, _ fields: [(String, YAML)]) -> String {
  ([("apiVersion", .string(version)), ("kind", .string(kind))] + fields).map { "\($0): \($1.text)\n" }.joined()
}

package func metadata(_ id: NamespacedName, labels: Labels = [:], annotations: Labels = [:]) -> (String, YAML) {
  var entries: [(String, YAML)] = [("namespace", .string(id.namespace)), ("name", .string(id.name))]
  if !labels.isEmpty { entries.append(("labels", labels.yaml)) }
  if !annotations.isEmpty { entries.append(("annotations", annotations.yaml)) }
  return ("metadata", .mapping(entries))
}

extension Labels {
  package var yaml: YAML { .mapping(sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }) }
}

extension [IPAddress] {
  package var yaml: YAML { .list(map { .string($0.description) }) }
}

extension [CIDR] {
  package var yaml: YAML { .list(map { .string($0.description) }) }
}
