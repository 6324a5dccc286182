import ArgumentParser

/// Values with commas between them, at least one.
struct CommaList<Element: ExpressibleByArgument & Sendable>: ExpressibleByArgument, Sendable {
  let elements: [Element]

  init(_ elements: [Element]) { self.elements = elements }

  init?(argument: String) {
    let elements = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      Element(argument: String($0))
    }
    let valid = elements.compactMap { $0 }
    guard !valid.isEmpty, valid.count == elements.count else { return nil }
    self.elements = valid
  }

  var defaultValueDescription: String { elements.map(\.defaultValueDescription).joined(separator: ",") }

  static var allValueStrings: [String] { Element.allValueStrings }
}
