import ArgumentParser
import Documents
import Foundation

/// The format of a report of a command that finds things. docs/formats.md describes them.
enum ResultFormat: String, CaseIterable, ExpressibleByArgument {
  case text, json, junit, sarif, github, markdown

  static let help: ArgumentHelp = "Report format."

  /// Prints a command's document on standard output. `files` are those that the user named. `failOn` says what a test
  /// report counts as a failure. Throws `OutputError`.
  func print(_ document: Document, of command: String, about files: [String], failOn: FailOn) throws {
    let places = FilePlaces(
      root: FileManager.default.currentDirectoryPath, file: files.lazy.compactMap(Self.firstFile).first)
    switch self {
    case .text: try ReportFormat.text.print(document)
    case .json: try ReportFormat.json.print(document)
    case .junit: try Terminal.print(DocumentJUnit(document, of: command, failsFromWarning: failOn == .warning).text)
    case .sarif: try Terminal.print(json: try DocumentSARIF(document, of: command, version: version, places).data())
    case .github: try Terminal.print(DocumentGitHub(document, places).text)
    case .markdown: try Terminal.print(DocumentMarkdown(document).text)
    }
  }

  /// The file itself, or the first of a folder. `nil` for standard input, and for a folder that can't be read.
  private static func firstFile(_ path: String) -> String? {
    var isFolder: ObjCBool = false
    guard path != "-", FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return nil }
    if !isFolder.boolValue { return path }
    var folder = ManifestFolder(path)
    do { try folder.list() } catch { return nil }
    return folder.manifests.first
  }
}
