internal import Text

/// What the API answers.
public enum APIAnswer: Sendable {
  case body(APIBody)
  /// The text of a list. It is made outside of what protects the objects.
  case list(ListAnswer)
  case watch(WatchAnswer)
}

/// An answer that is there as a whole.
public struct APIBody: Sendable {
  public var code: Int
  public var contentType: String
  public var bytes: [UInt8]
  /// What the server wants to tell the user: header `Warning`.
  public var warnings: [String] = []

  public init(_ code: Int, _ bytes: [UInt8], contentType: String = "application/json") {
    self.code = code
    self.contentType = contentType
    self.bytes = bytes
  }

  public init(_ status: APIStatus) { self.init(status.reason.code, status.json.bytes) }
}

/// The objects of a list.
public struct ListAnswer: Sendable {
  let type: ResourceType
  let objects: [StoredObject]
  let resourceVersion: UInt64
  /// The token for the next page. `nil`: there is none.
  let next: String?
  /// How many objects come after this page.
  let remaining: Int
  let form: ObjectForm
  let now: APITime

  public var bytes: [UInt8] {
    if case .whole = form {
      var metadata = #""metadata":{"resourceVersion":"\#(resourceVersion)""#
      if let next { metadata += #","continue":"\#(next)","remainingItemCount":\#(remaining)"# }
      var bytes = Array(
        #"{"kind":"\#(type.kind)List","apiVersion":"\#(type.apiVersion)",\#(metadata)},"items":["#.utf8)
      bytes.reserveCapacity(bytes.count + objects.reduce(0) { $0 + $1.bytes.count + 1 } + 2)
      for (index, object) in objects.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: object.bytes)
      }
      bytes.append(contentsOf: "]}".utf8)
      return bytes
    }
    return form.list(objects, of: type, resourceVersion: resourceVersion, next: next, now).bytes
  }
}

/// A stream of changes.
public struct WatchAnswer: Sendable {
  public let selection: ObjectSelection
  /// What comes first: the objects that there are.
  public let initial: [StoredObject]
  /// Whether a bookmark marks the end of these (`k8s.io/initial-events-end`).
  public let marksInitialEnd: Bool
  /// Only later changes follow.
  public let resourceVersion: UInt64
  public let allowsBookmarks: Bool
  /// In seconds. The server ends the stream then.
  public let timeout: Int
  public let form: ObjectForm
}
