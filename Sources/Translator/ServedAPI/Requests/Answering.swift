internal import Text

extension ServedCluster {
  /// Answers a request. Changes what it asks to change, and does what is due.
  public mutating func answer(_ request: APIRequest, _ now: APITime) -> APIAnswer {
    runControllers(now)
    do throws(APIStatus) {
      guard let path = APIPath(request.path, types) else {
        throw APIStatus(.notFound, "the server could not find the requested resource")
      }
      try request.requireKnownValues()
      let answer = try answer(path, request, now)
      runControllers(now)
      return answer
    } catch { return .body(APIBody(error)) }
  }

  private mutating func answer(
    _ path: APIPath, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> APIAnswer {
    switch path {
    case .health: return .body(APIBody(200, Array("ok".utf8), contentType: "text/plain; charset=utf-8"))
    case .version, .groups, .group, .groupVersion, .openAPI: return .body(try discovery(path, request))
    case .collection(let type, let namespace):
      try requireJSON(request)
      return try answer(type, namespace, request, now)
    case .object(let key, let subresource):
      try requireJSON(request)
      switch subresource {
      case nil: return try answer(key, .main, request, now)
      case "status" where key.type.hasStatus: return try answer(key, .status, request, now)
      case "scale" where key.type.hasScale: return try answer(scaleOf: key, request, now)
      case "binding" where key.type == .pods && request.method == .post:
        return .body(APIBody(201, try bind(key, request, now).bytes))
      case "eviction" where key.type == .pods && request.method == .post:
        var deletion = request
        deletion.body = ""
        return .body(APIBody(201, try delete(key, deletion, now).bytes))
      case "finalize" where key.type == .namespaces && request.method == .put:
        return try written(update(key, .main, request, now), request, key.type, now)
      case .some(let name):
        let needsContainer = key.type == .pods && ["log", "exec", "attach", "portforward", "proxy"].contains(name)
        throw APIStatus(
          .notFound,
          needsContainer
            ? "no container runs here: pods only say that they do, so there is no \(name)"
            : "the server could not find the requested resource", key.type, key.name)
      }
    }
  }

  /// The objects of a type, all or those of a namespace.
  private mutating func answer(
    _ type: ResourceType, _ namespace: String?, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> APIAnswer {
    switch request.method {
    case .get, .head:
      return request.asks("watch")
        ? try watch(type, namespace, request, now) : try list(type, namespace, request, now)
    case .post: return try written(create(type, namespace, request, now), request, type, now)
    case .delete where namespace != nil || !type.isNamespaced && type != .namespaces:
      return .body(APIBody(200, try deleteCollection(type, namespace, request, now).bytes))
    case .put, .patch, .options, .delete:
      throw APIStatus(.methodNotAllowed, "the server does not allow this method on the requested resource")
    }
  }

  private mutating func answer(
    _ key: ObjectKey, _ part: Part, _ request: APIRequest, _ now: APITime
  ) throws(APIStatus) -> APIAnswer {
    switch request.method {
    case .get, .head:
      if request.asks("watch") {
        var own = request
        own.query["fieldSelector"] = "metadata.name=\(key.name)"
        return try watch(key.type, key.type.isNamespaced ? key.namespace : nil, own, now)
      }
      return try get(key, request, now)
    case .put: return try written(update(key, part, request, now), request, key.type, now)
    case .patch: return try written(patch(key, part, request, now), request, key.type, now)
    case .delete where part == .main: return .body(APIBody(200, try delete(key, request, now).bytes))
    case .post, .delete, .options:
      throw APIStatus(.methodNotAllowed, "the server does not allow this method on the requested resource")
    }
  }

  private func written(
    _ written: Written, _ request: APIRequest, _ type: ResourceType, _ now: APITime
  ) throws(APIStatus) -> APIAnswer {
    var body = APIBody(written.isNew ? 201 : 200, try ObjectForm(request).bytes(of: written.json, type, now))
    body.warnings = written.warnings
    return .body(body)
  }

  /// Every answer about objects is JSON.
  private func requireJSON(_ request: APIRequest) throws(APIStatus) {
    if !MediaTypes(accept: request.accept).acceptsJSON {
      throw APIStatus(.notAcceptable, "only the following media types are accepted: application/json")
    }
  }
}
