public import NetpolModel

/// Some numbers of an axis, at least one: single ones are common, and quicker without bits.
public enum Numbers: Hashable, Sendable {
  case one(Int)
  /// At least two.
  case many(Bits)

  /// `nil` if there are none.
  public init?(_ bits: Bits) {
    switch bits.count {
    case 0: return nil
    case 1: self = .one(bits.first ?? 0)
    default: self = .many(bits)
    }
  }

  public func contains(_ number: Int) -> Bool {
    switch self {
    case .one(let own): own == number
    case .many(let bits): bits.contains(number)
    }
  }

  public var first: Int {
    switch self {
    case .one(let own): own
    case .many(let bits): bits.first ?? 0
    }
  }

  public var count: Int {
    switch self {
    case .one: 1
    case .many(let bits): bits.count
    }
  }

  public func isDisjoint(with other: Numbers) -> Bool {
    switch (self, other) {
    case (.one(let own), _): !other.contains(own)
    case (_, .one(let own)): !contains(own)
    case (.many(let bits), .many(let others)): bits.isDisjoint(with: others)
    }
  }

  /// `nil` if there are none.
  public func intersection(_ other: Numbers) -> Numbers? {
    switch (self, other) {
    case (.one(let own), _): other.contains(own) ? self : nil
    case (_, .one(let own)): contains(own) ? other : nil
    case (.many(let bits), .many(let others)): Numbers(bits.intersection(others))
    }
  }

  /// `nil` if none are left.
  public func subtracting(_ other: Numbers) -> Numbers? {
    switch (self, other) {
    case (.one(let own), _): return other.contains(own) ? nil : self
    case (.many(var bits), .one(let own)):
      if !bits.contains(own) { return self }
      bits.remove(own)
      return Numbers(bits)
    case (.many(let bits), .many(let others)): return Numbers(bits.subtracting(others))
    }
  }

  /// `count`: of all numbers of the axis.
  public mutating func formUnion(_ other: Numbers, count: Int) {
    switch (self, other) {
    case (.one(let own), .one(let number)) where own == number: return
    case (.one(let own), _):
      var bits = Bits([own], count: count)
      bits.formUnion(other)
      self = .many(bits)
    case (.many(var bits), _):
      // Without a copy.
      self = .one(0)
      bits.formUnion(other)
      self = .many(bits)
    }
  }

  public func visit(_ body: (Int) throws -> Void) rethrows {
    switch self {
    case .one(let own): try body(own)
    case .many(let bits): try bits.visit(body)
    }
  }
}

extension Bits {
  public mutating func formIntersection(with numbers: Numbers) {
    switch numbers {
    case .one(let number):
      let isIn = contains(number)
      subtract(self)
      if isIn { insert(number) }
    case .many(let bits): formIntersection(bits)
    }
  }

  public mutating func formUnion(_ numbers: Numbers) {
    switch numbers {
    case .one(let number): insert(number)
    case .many(let bits): formUnion(bits)
    }
  }
}
