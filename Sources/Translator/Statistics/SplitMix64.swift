/// The generator of Steele, Lea and Flood ("Fast splittable pseudorandom number generators", 2014). The same seed gives
/// the same numbers on every machine. Bounded numbers are computed here too, because the standard library may change
/// its method.
public struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  public init(seed: UInt64) { state = seed }

  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number in 0 ..< `bound`, or 0 if `bound` is 0 or less.
  public mutating func below(_ bound: Int) -> Int {
    bound <= 1 ? 0 : Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  public mutating func number(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  public mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// Returns `fallback` if the list is empty.
  public mutating func one<Element>(of list: [Element], else fallback: Element) -> Element {
    list.isEmpty ? fallback : list[below(list.count)]
  }

  public mutating func one<Element>(of list: [Element]) -> Element? { list.isEmpty ? nil : list[below(list.count)] }

  /// Up to `count` elements of the list, in random order.
  public mutating func some<Element>(_ count: Int, of list: [Element]) -> [Element] {
    var list = list
    var chosen: [Element] = []
    while chosen.count < count, !list.isEmpty { chosen.append(list.remove(at: below(list.count))) }
    return chosen
  }
}
