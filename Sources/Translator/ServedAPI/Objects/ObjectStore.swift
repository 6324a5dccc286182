internal import DequeModule
public import Text

/// The objects of an API server, and the last changes of them. One sequence of resource versions for all types.
public struct ObjectStore: Sendable {
  /// Only their text: as a value, an object takes ten times as much memory.
  private var entries: [ObjectKey: StoredObject] = [:]
  /// The keys of each type, sorted.
  private var keys: [ResourceType: [ObjectKey]] = [:]
  private var history: Deque<ObjectEvent> = []
  private var historySize = 0
  private let limits: Limits

  /// The newest resource version. Every change takes the next one.
  public private(set) var resourceVersion: UInt64
  /// The state that is the oldest to which a list or watch can go back.
  public private(set) var oldestResourceVersion: UInt64

  /// How much of the past is kept.
  public struct Limits: Sendable {
    public var events: Int
    /// Of the objects in it, in bytes.
    public var size: Int
    public init(events: Int = 50_000, size: Int = 32 << 20) {
      self.events = events
      self.size = size
    }
  }

  /// `resourceVersion`: must be higher than that of any server that clients knew before: a clock's.
  public init(resourceVersion: UInt64, limits: Limits = .init()) {
    self.resourceVersion = resourceVersion
    oldestResourceVersion = resourceVersion
    self.limits = limits
  }

  public var count: Int { entries.count }
  public func object(_ key: ObjectKey) -> StoredObject? { entries[key] }
  public func json(_ key: ObjectKey) -> JSON? { entries[key]?.json }
  /// The keys of a type's objects, by namespace and name.
  public func keys(_ type: ResourceType) -> [ObjectKey] { keys[type] ?? [] }
  /// All objects of a type.
  public func all(_ type: ResourceType) -> [JSON] { keys(type).compactMap { entries[$0]?.json } }
  /// The types that have objects.
  public var types: [ResourceType] { keys.filter { !$0.value.isEmpty }.map(\.key) }

  /// Stores an object's new state with the next resource version in its metadata. A state that is no other makes no event,
  /// and keeps its resource version.
  @discardableResult public mutating func put(_ key: ObjectKey, _ json: JSON) -> ObjectEvent? {
    let before = entries[key]
    var json = json
    if let before {
      json[["metadata", "resourceVersion"]] = .string(String(before.resourceVersion))
      if json.bytes == before.bytes { return nil }
    }
    resourceVersion += 1
    json[["metadata", "resourceVersion"]] = .string(String(resourceVersion))
    let object = StoredObject(key, resourceVersion, json)
    entries[key] = object
    if before == nil {
      let place = keys[key.type, default: []].firstPlace { !($0 < key) }
      keys[key.type, default: []].insert(key, at: place)
    }
    let event = ObjectEvent(kind: before == nil ? .added : .modified, object: object, previous: before)
    note(event)
    return event
  }

  /// Removes an object. The event holds its last state with a resource version of its own. `nil` if there is none.
  @discardableResult public mutating func remove(_ key: ObjectKey) -> ObjectEvent? {
    guard let before = entries.removeValue(forKey: key) else { return nil }
    let place = keys[key.type, default: []].firstPlace { !($0 < key) }
    keys[key.type]?.remove(at: place)
    resourceVersion += 1
    var json = before.json
    json[["metadata", "resourceVersion"]] = .string(String(resourceVersion))
    let event = ObjectEvent(
      kind: .deleted, object: StoredObject(key, resourceVersion, json), previous: before)
    note(event)
    return event
  }

  private mutating func note(_ event: ObjectEvent) {
    history.append(event)
    historySize += event.object.bytes.count
    while history.count > limits.events || historySize > limits.size, let oldest = history.popFirst() {
      historySize -= oldest.object.bytes.count
      oldestResourceVersion = oldest.resourceVersion
    }
  }

  /// Forgets the past, as a compaction of etcd does.
  public mutating func compact() {
    history.removeAll()
    historySize = 0
    oldestResourceVersion = resourceVersion
  }

  /// The changes after a state, oldest first, at most `limit`. Throws `expired` for a state that is not known any more, or
  /// not yet.
  public func events(after version: UInt64, limit: Int = .max) throws(APIStatus) -> [ObjectEvent] {
    try requireKnown(version)
    let first = history.firstPlace { $0.resourceVersion > version }
    return Array(history[first..<min(history.count, limit == .max ? history.count : first + limit)])
  }

  private func requireKnown(_ version: UInt64) throws(APIStatus) {
    if version < oldestResourceVersion || version > resourceVersion {
      throw .expired(version, newest: oldestResourceVersion)
    }
  }

  /// The objects of a selection, sorted, in the newest state or an earlier one. Throws `expired` for an unknown one.
  public func objects(_ selection: ObjectSelection, at version: UInt64? = nil) throws(APIStatus) -> [StoredObject] {
    let now: [StoredObject]
    if let name = selection.name, let namespace = selection.namespace ?? (selection.type.isNamespaced ? nil : "") {
      now = [entries[ObjectKey(selection.type, namespace, name)]].compactMap(\.self)
    } else {
      now = keys(selection.type).compactMap { entries[$0] }
    }
    guard let version, version != resourceVersion else { return now.filter(selection.includes) }
    // Back from now, change by change.
    var states: [ObjectKey: StoredObject?] = [:]
    for event in try events(after: version) where event.object.key.type == selection.type {
      if states[event.object.key] == nil { states[event.object.key] = .some(event.previous) }
    }
    let unchanged = now.filter { states[$0.key] == nil }
    return (unchanged + states.values.compactMap(\.self)).filter(selection.includes).sorted { $0.key < $1.key }
  }
}

extension RandomAccessCollection where Index == Int {
  /// The first place whose element fulfils what all elements after it do, too.
  fileprivate func firstPlace(where fulfils: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = (low + high) / 2
      if fulfils(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
