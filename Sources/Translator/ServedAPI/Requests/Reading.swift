internal import Text

/// Lists, watches, and single objects.
extension ServedCluster {
  func get(_ key: ObjectKey, _ request: APIRequest, _ now: APITime) throws(APIStatus) -> APIAnswer {
    guard let object = store.object(key) else { throw .notFound(key.type, key.name) }
    return .body(APIBody(200, try ObjectForm(request).bytes(object, now)))
  }

  /// `limit`, `continue`, `resourceVersion` and `resourceVersionMatch` as in the API's concepts
  /// (kubernetes.io/docs/reference/using-api/api-concepts).
  func list(
    _ type: ResourceType, _ namespace: String?, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> APIAnswer {
    let selection = try ObjectSelection(type, namespace, request)
    let limit = try request.number("limit") ?? 0
    var version = store.resourceVersion
    var first: ObjectKey?
    if let token = request.query["continue"], !token.isEmpty {
      guard let page = ContinueToken(token, type) else {
        throw APIStatus(.badRequest, "continue key is not valid")
      }
      (version, first) = (page.resourceVersion, page.last)
    } else if let asked = try request.number("resourceVersion"), asked > 0 {
      let asked = UInt64(asked)
      // What isn't known yet was another server's: whoever asks for it must not wait for ever.
      if asked > version { throw .expired(asked, newest: version) }
      if request.query["resourceVersionMatch"] == "Exact" { version = asked }
    }
    var objects = try store.objects(selection, at: version)
    if let first { objects.removeFirst(objects.prefix { !(first < $0.key) }.count) }
    let page = limit > 0 ? Array(objects.prefix(Int(limit))) : objects
    let rest = objects.count - page.count
    return .list(
      ListAnswer(
        type: type, objects: page, resourceVersion: version,
        next: rest > 0 ? page.last.map { ContinueToken(resourceVersion: version, last: $0.key).text } : nil,
        remaining: rest, form: try ObjectForm(request), now: now))
  }

  func watch(
    _ type: ResourceType, _ namespace: String?, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> APIAnswer {
    let selection = try ObjectSelection(type, namespace, request)
    let asked = UInt64(try request.number("resourceVersion") ?? 0)
    let allowsBookmarks = request.asks("allowWatchBookmarks")
    var initial: [StoredObject]?
    let sendsInitial = request.query["sendInitialEvents"] != nil
    if sendsInitial {
      if watchList == .refuse {
        throw APIStatus(
          .invalid,
          "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is "
            + "forbidden for watch unless the WatchList feature gate is enabled")
      }
      guard request.query["resourceVersionMatch"] == "NotOlderThan" else {
        throw APIStatus(
          .invalid,
          "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents "
            + "requires setting resourceVersionMatch to NotOlderThan")
      }
    }
    if asked > store.resourceVersion { throw .expired(asked, newest: store.resourceVersion) }
    if request.asks("sendInitialEvents") || !sendsInitial && asked == 0 { initial = try store.objects(selection) }
    if initial == nil, asked > 0 { _ = try store.events(after: asked, limit: 0) }
    let timeout = try request.number("timeoutSeconds") ?? 0
    return .watch(
      WatchAnswer(
        selection: selection, initial: initial ?? [], marksInitialEnd: request.asks("sendInitialEvents"),
        resourceVersion: initial == nil && asked > 0 ? asked : store.resourceVersion,
        allowsBookmarks: allowsBookmarks, timeout: timeout > 0 ? Int(timeout) : Self.watchSeconds,
        form: try ObjectForm(request)))
  }

  /// How long a watch lasts whose client doesn't say: API servers end it after 30 to 60 minutes.
  private static let watchSeconds = 1800
}

extension ObjectSelection {
  /// Those that a request's selectors ask for.
  init(_ type: ResourceType, _ namespace: String?, _ request: APIRequest) throws(APIStatus) {
    try self.init(
      type, namespace: namespace, labelSelector: request.query["labelSelector"] ?? "",
      fieldSelector: request.query["fieldSelector"] ?? "")
  }
}

extension APIRequest {
  /// A number in the query. Throws for what is none.
  fileprivate func number(_ name: String) throws(APIStatus) -> Int? {
    guard let text = query[name], !text.isEmpty else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw APIStatus(.badRequest, "Invalid value: \"\(text.prefix(60))\": \(name) is no number")
    }
    return number
  }
}

/// Where the next page of a list begins: after an object, in the state of a resource version.
struct ContinueToken {
  let resourceVersion: UInt64
  let last: ObjectKey

  init(resourceVersion: UInt64, last: ObjectKey) {
    self.resourceVersion = resourceVersion
    self.last = last
  }

  /// `VERSION.NAMESPACE.NAME`: names of objects have no other character that a URL can't hold. A namespace has no dot.
  var text: String { "\(resourceVersion).\(last.namespace).\(last.name)" }

  init?(_ text: String, _ type: ResourceType) {
    let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, let version = UInt64(parts[0]) else { return nil }
    self.init(resourceVersion: version, last: ObjectKey(type, parts[1], parts[2]))
  }
}
