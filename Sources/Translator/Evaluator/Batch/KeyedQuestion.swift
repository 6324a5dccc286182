internal import NetpolModel
internal import RuleIR

/// A lookup in a keyed set or map: which fields of a packet, and which set.
struct KeyedQuestion: Hashable {
  let fields: [PacketField]
  let set: Int

  var asksSource: Bool { fields.contains(.address(.source)) }
  var asksDestination: Bool { fields.contains(.address(.destination)) }
  var asksPort: Bool { fields.contains { $0 == .transport || $0 == .port } }
  /// Whether the key is both addresses and nothing else.
  var asksPair: Bool { fields.count == 2 && asksSource && asksDestination }
  /// Whether no field occurs twice in the key.
  var isRegular: Bool { Set(fields).count == fields.count }
}

/// An element of a keyed set without the fields of one axis: what else a packet needs to match it, and what it then
/// gets.
///
/// If two values of an axis have the same rests, they are in the same elements for any values of the other fields. So
/// no lookup in the set tells them apart.
private struct Rest: Hashable {
  let key: [UInt128]
  let through: UInt128?
  let value: KeyedSet.Value?
}

extension KeyedQuestion {
  /// Returns a label for each of `count` values of an axis. Labels are equal if the rests of their elements are.
  ///
  /// `isOnAxis` returns whether a field belongs to the axis, `values` which of the axis's values are in an element.
  func labels(
    _ elements: [KeyedSet.Element], count: Int, isOnAxis: (PacketField) -> Bool, values: (KeyedSet.Element) -> [Int]
  ) -> [UInt32] {
    var rests: [Rest: Int32] = [:]
    var restsOf = [[Int32]](repeating: [], count: count)
    let lastIsOnAxis = fields.last.map(isOnAxis) ?? false
    for element in elements {
      let key = zip(fields, element.key).map { isOnAxis($0) ? 0 : $1 }
      let rest = Rest(key: key, through: lastIsOnAxis ? nil : element.through, value: element.value)
      let next = Int32(rests.count)
      let number = rests[rest, default: next]
      if number == next { rests[rest] = next }
      for value in values(element) { restsOf[value].append(number) }
    }
    var numbers: [[Int32]: UInt32] = [:]
    return restsOf.map { rests in
      let rests = rests.sorted()
      let next = UInt32(numbers.count)
      let number = numbers[rests, default: next]
      if number == next { numbers[rests] = next }
      return number
    }
  }
}
