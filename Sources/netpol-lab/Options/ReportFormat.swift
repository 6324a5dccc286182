import ArgumentParser
import Documents
import Report

/// The format of a report.
enum ReportFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json

  /// Prints the document on standard output. Throws `OutputError`.
  func print(_ document: Document) throws {
    switch self {
    case .text: try Terminal.print(document.text(width: Terminal.width))
    case .json: try Terminal.print(json: try document.json())
    }
  }
}
