/// A document's line plots, as files.
public struct DocumentPictures {
  /// SVG 1.1.
  public let files: [(name: String, svg: String)]

  public init(_ document: Document) {
    files = document.sections.flatMap(\.blocks).compactMap { block in
      if case .plot(.lines(let plot, let name)) = block { ("\(name).svg", plot.svg) } else { nil }
    }
  }
}
