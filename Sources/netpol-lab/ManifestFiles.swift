import Foundation
import Manifests
import NetpolModel

/// Why a `-f` argument can't be read, in one line.
struct ManifestFileError: UserFacingError {
  let path: String
  let problem: String
  var description: String { "\(path): \(problem)" }
  var exitStatus: ExitStatus { .badInput }
}

/// Reads `-f` arguments. Each is a file, `-` for standard input, or a directory, whose .yaml, .yml and .json files are read
/// in the order of their paths.
enum ManifestFiles {
  /// What the arguments hold: manifests, and files that need another program first.
  struct Contents {
    var sources: [ManifestSource] = []
    var foreign = ForeignFiles()
  }

  static func read(_ arguments: [String]) throws(ManifestFileError) -> Contents {
    var contents = Contents()
    for argument in arguments {
      if argument == "-" {
        if contents.sources.contains(where: { $0.name == "-" }) {
          throw ManifestFileError(path: "-", problem: "standard input can be read once; give -f - once")
        }
        contents.sources.append(try source("-", FileHandle.standardInput))
        continue
      }
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: argument, isDirectory: &isDirectory) else {
        throw ManifestFileError(path: argument, problem: "no such file or directory")
      }
      if isDirectory.boolValue {
        try readFolder(argument, into: &contents)
      } else {
        contents.sources.append(try source(argument))
      }
    }
    return contents
  }

  /// Reads one regular file.
  static func readFile(_ path: String) throws(ManifestFileError) -> ManifestSource {
    guard ManifestFolder.type(of: URL(fileURLWithPath: path).resolvingSymlinksInPath().path) == .typeRegular else {
      throw ManifestFileError(path: path, problem: "no such file")
    }
    return try source(path)
  }

  private static func readFolder(_ root: String, into contents: inout Contents) throws(ManifestFileError) {
    var folder = ManifestFolder(root)
    try folder.list()
    if folder.manifests.isEmpty, folder.foreign.obstacle == nil {
      throw ManifestFileError(path: root, problem: "no .yaml, .yml or .json file in this directory")
    }
    var sources: [ManifestSource] = []
    for path in folder.manifests {
      let source = try source(path, fromDirectory: true)
      if let file = folder.foreignFile(source) {
        folder.foreign.note(file, path)
      } else {
        sources.append(source)
      }
    }
    if sources.isEmpty, let obstacle = folder.foreign.obstacle {
      throw ManifestFileError(path: root, problem: obstacle)
    }
    contents.sources += sources
    contents.foreign.add(folder.foreign)
  }

  private static func source(_ path: String, fromDirectory: Bool = false) throws(ManifestFileError) -> ManifestSource {
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw ManifestFileError(path: path, problem: "can't be read; check its permissions")
    }
    defer { try? file.close() }
    return try source(path, file, fromDirectory: fromDirectory)
  }

  private static func source(
    _ name: String, _ file: FileHandle, fromDirectory: Bool = false
  ) throws(ManifestFileError) -> ManifestSource {
    let data: Data?
    do {
      data = try file.readToEnd()
    } catch {
      throw ManifestFileError(path: name, problem: "can't be read")
    }
    guard let text = String(bytes: data ?? Data(), encoding: .utf8) else {
      throw ManifestFileError(path: name, problem: "is not UTF-8 text; convert it, or leave it out")
    }
    return ManifestSource(name: name, text: text, fromDirectory: fromDirectory)
  }
}
