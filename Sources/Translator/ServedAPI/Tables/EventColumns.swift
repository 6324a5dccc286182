internal import Text

extension TableColumn {
  static let ofEvents: [TableColumn] = [
    TableColumn(text: "Last Seen", "The time since it happened last.") { event in
      if let series = event.json["series"], !series.isNull { return event.age(of: series["lastObservedTime"]) }
      return event.age(of: event.time("lastTimestamp", "deprecatedLastTimestamp") ?? event.firstTime)
    },
    TableColumn(text: "Type", "Normal or Warning.") { $0.text("type") },
    TableColumn(text: "Reason", "What happened, in a word.") { $0.text("reason") },
    TableColumn(text: "Object", "The object to which it happened.") { event in
      let kind = (event.object?["kind"]?.string ?? "").lowercased()
      let name = event.object?["name"]?.string ?? ""
      return name.isEmpty ? kind : "\(kind)/\(name)"
    },
    TableColumn(text: "Subobject", isWide: true, "The part of the object.") {
      $0.object?["fieldPath"]?.string ?? ""
    },
    TableColumn(text: "Source", isWide: true, "Who tells of it.") { event in
      let source = event.json["source"] ?? event.json["deprecatedSource"]
      let component = source?["component"]?.string ?? event.text("reportingController", or: "reportingComponent")
      let instance = source?["host"]?.string ?? event.text("reportingInstance")
      return instance.isEmpty ? component : "\(component), \(instance)"
    },
    TableColumn(text: "Message", "What happened.") { event in
      let message = Substring(event.text("message", or: "note")).drop(while: \.isWhitespace)
      return message.lastIndex { !$0.isWhitespace }.map { String(message[...$0]) } ?? ""
    },
    TableColumn(text: "First Seen", isWide: true, "The time since it happened first.") { $0.age(of: $0.firstTime) },
    TableColumn("Count", .integer, isWide: true, "How often it happened.") { event in
      let count = event.json["series"]?["count"] ?? event.json["count"] ?? event.json["deprecatedCount"]
      // Events of the newer API have a count only if they are a series.
      return .integer(max(count?.integer ?? 1, 1))
    },
    TableColumn("Name", format: "name", isWide: true, "The event's name, unique in its namespace.") {
      .string($0.text("metadata", "name"))
    },
  ]
}

/// The fields of an event have other names in `events.k8s.io`.
extension TabledObject {
  fileprivate var object: JSON? { json["involvedObject"] ?? json["regarding"] }

  fileprivate func text(_ field: String, or other: String) -> String {
    json[field]?.string ?? json[other]?.string ?? ""
  }

  fileprivate func time(_ field: String, _ other: String) -> JSON? {
    [json[field], json[other]].compactMap(\.self).first { $0.string != nil }
  }

  fileprivate var firstTime: JSON? { time("firstTimestamp", "deprecatedFirstTimestamp") ?? json["eventTime"] }
}
