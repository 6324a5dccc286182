internal import NetpolModel
internal import OrderedCollections

/// The objects of one sort, each name once, in the order in which the input first gives them.
struct ObjectTable<Object: RepeatedObject> {
  private var byKey: OrderedDictionary<ObjectKey, Object> = [:]

  var objects: [Object] { byKey.values.elements }
  var keys: [ObjectKey] { byKey.keys.elements }

  subscript(key: ObjectKey) -> Object? { byKey[key] }

  /// How an object relates to an earlier one with its name.
  enum Arrival: Hashable {
    case first, equal, different
  }

  /// Stores the object in place of an earlier one with its name. If it is `outdated`, the earlier one stays.
  mutating func store(_ object: Object, as key: ObjectKey, outdated: Bool = false) -> Arrival {
    guard let index = byKey.index(forKey: key) else {
      byKey[key] = object
      return .first
    }
    let earlier = byKey.values[index]
    byKey.values[index] = outdated ? earlier.completed(from: object) : object.completed(from: earlier)
    return object.says(sameAs: earlier) ? .equal : .different
  }

  /// Stores the object in place of an earlier one with its name, of which nothing remains.
  mutating func replace(_ object: Object, as key: ObjectKey) { byKey[key] = object }
}
