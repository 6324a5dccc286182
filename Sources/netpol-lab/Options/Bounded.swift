import ArgumentParser
import NetpolModel

/// An option's value with a range. Help and errors show the range, as in `--trials <1-100000>`.
protocol Bounded: ExpressibleByArgument {
  associatedtype Value: OptionQuantity
  static var range: ClosedRange<Value> { get }
  var value: Value { get }
  init(value: Value)
}

extension Bounded {
  init?(argument: String) {
    guard let value = Value(optionText: argument), Self.range.contains(value) else { return nil }
    self.init(value: value)
  }

  var defaultValueDescription: String { value.optionText }

  /// The option's help, with the range as the name of its value.
  static func help(_ abstract: String) -> ArgumentHelp {
    ArgumentHelp(abstract, valueName: "\(range.lowerBound.optionText)-\(range.upperBound.optionText)")
  }
}

/// A quantity that a range can limit.
protocol OptionQuantity: Comparable {
  init?(optionText: String)
  /// Text that reads back as the same quantity.
  var optionText: String { get }
}

extension Int: OptionQuantity {
  init?(optionText: String) { self.init(optionText) }
  var optionText: String { "\(self)" }
}

extension Double: OptionQuantity {
  init?(optionText: String) { self.init(optionText) }
  var optionText: String { Int(exactly: self).map { "\($0)" } ?? "\(self)" }
}

extension Duration: OptionQuantity {
  init?(optionText: String) { self.init(text: optionText) }

  var optionText: String {
    let microseconds = Int((self / .microseconds(1)).rounded())
    for (unit, size) in [("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000)]
    where microseconds >= size && microseconds % size == 0 {
      return "\(microseconds / size)\(unit)"
    }
    return "\(microseconds)us"
  }
}
