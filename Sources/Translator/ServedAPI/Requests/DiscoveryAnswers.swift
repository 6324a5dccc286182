internal import Text

/// What the API says of itself.
extension ServedCluster {
  func discovery(_ path: APIPath, _ request: APIRequest) throws(APIStatus) -> APIBody {
    let unknown = APIStatus(.notFound, "the server could not find the requested resource")
    guard request.method == .get || request.method == .head else {
      throw APIStatus(.methodNotAllowed, "the server does not allow this method on the requested resource")
    }
    let discovery = Discovery(types)
    let found: JSON?
    switch path {
    case .version: found = version.json
    case .groups(let isCore):
      let format = Discovery.format(accept: request.accept)
      return APIBody(
        200, (isCore ? discovery.api(format) : discovery.apis(format)).bytes, contentType: format.contentType)
    case .group(let name): found = discovery.group(name)
    case .groupVersion(let group, let version): found = discovery.resources(group: group, version: version)
    case .openAPI(let parts):
      let openAPI = OpenAPI(types, version: version)
      if parts == ["v2"] {
        return APIBody(200, OpenAPI.leastV2, contentType: OpenAPI.typeOfV2)
      }
      guard parts.first == "v3" else { throw unknown }
      let rest = parts.dropFirst().joined(separator: "/")
      found = rest.isEmpty ? openAPI.index : openAPI.document(rest)
    case .health, .collection, .object: found = nil
    }
    guard let found else { throw unknown }
    return APIBody(200, found.bytes)
  }
}
