public import NetpolModel
internal import Statistics
internal import Text

/// A cluster behind an API: its objects, the types that are served, and the controllers that make pods run.
public struct ServedCluster: Sendable {
  public internal(set) var store: ObjectStore
  /// The served types, with those that CustomResourceDefinitions and files name.
  public internal(set) var types: [ResourceType] = ResourceType.builtIn
  /// Where Services get their addresses.
  public internal(set) var serviceCIDRs: [CIDR]
  public internal(set) var nodePorts: PortRange
  public var version = ServerVersion()
  /// What watches get that want the objects that there are as events.
  public var watchList = WatchList.stream

  /// `WatchList` of API servers: on since 1.34, off before.
  public enum WatchList: String, Hashable, Sendable, CaseIterable {
    case stream, refuse
  }

  var controllers: Controllers
  var serviceUse = ServiceUse()
  var random: SplitMix64

  /// `settings`: the networks of Services. `resourceVersion`: see `ObjectStore`.
  public init(
    _ settings: ClusterSettings, resourceVersion: UInt64, pace: Controllers.Pace = .init(), seed: UInt64,
    limits: ObjectStore.Limits = .init()
  ) {
    store = ObjectStore(resourceVersion: resourceVersion, limits: limits)
    serviceCIDRs = settings.serviceCIDRs
    nodePorts = settings.nodePorts
    controllers = Controllers(pace)
    random = SplitMix64(seed: seed)
  }

  /// Stores an object's new state, and tells the controllers.
  @discardableResult mutating func put(_ key: ObjectKey, _ json: JSON, _ now: APITime) -> ObjectEvent? {
    var json = json
    if key.type == .customResourceDefinitions {
      learn(json)
      json.establish(now)
    }
    if key.type == .services { serviceUse.note(key, json) }
    let event = store.put(key, json)
    if let event { controllers.note(event, store, now) }
    return event
  }

  @discardableResult mutating func remove(_ key: ObjectKey, _ now: APITime) -> ObjectEvent? {
    if key.type == .services { serviceUse.note(key, nil) }
    let event = store.remove(key)
    if let event { controllers.note(event, store, now) }
    return event
  }

  /// The metadata that an API server gives a new object: `uid`, `creationTimestamp`, `generation`.
  mutating func stamped(_ json: JSON, _ now: APITime) -> JSON {
    var json = json
    json[["metadata", "uid"]] = .string(random.uid())
    json[["metadata", "creationTimestamp"]] = .string(now.text)
    if json["spec"] != nil { json.fill(["metadata", "generation"], 1) }
    return json
  }
}

extension SplitMix64 {
  /// A version 4 UUID (RFC 9562).
  mutating func uid() -> String {
    var (high, low) = (next(), next())
    high = high & 0xffff_ffff_ffff_0fff | 0x4000
    low = low & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    var parts: [Substring] = []
    var rest = Substring(high.hexadecimal(16) + low.hexadecimal(16))
    for length in [8, 4, 4, 4, 12] {
      parts.append(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return parts.joined(separator: "-")
  }

  /// The end of a generated name: `SafeEncodeString` of apimachinery has no vowels, so that it makes no words.
  mutating func suffix(_ length: Int = 5) -> String {
    let letters = Array("bcdfghjklmnpqrstvwxz2456789")
    return String((0..<length).map { _ in letters[Int(next() % UInt64(letters.count))] })
  }
}
