import Foundation
import Manifests

/// Reads `-f` arguments. Each is a file, `-` for standard input, or a directory, whose .yaml, .yml and .json files are read
/// in the order of their paths.
enum ManifestFiles {
  /// What the arguments hold: manifests, and files that need another program first.
  struct Contents {
    var sources: [ManifestSource] = []
    var foreign = ForeignFiles()
  }

  static func read(_ arguments: [String]) throws(InputFileError) -> Contents {
    var contents = Contents()
    for argument in arguments {
      if argument == "-" {
        if contents.sources.contains(where: { $0.name == "-" }) {
          throw InputFileError(path: "-", problem: "standard input can be read once; give -f - once")
        }
        contents.sources.append(try source("-"))
        continue
      }
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: argument, isDirectory: &isDirectory) else {
        throw InputFileError(path: argument, problem: "no such file or directory")
      }
      if isDirectory.boolValue {
        try readFolder(argument, into: &contents)
      } else {
        contents.sources.append(try source(argument))
      }
    }
    return contents
  }

  /// Reads one regular file. If `folder` is given, the file and the target of any link must be inside it.
  static func readFile(_ path: String, inside folder: String? = nil) throws(InputFileError) -> ManifestSource {
    // A relative path with `..` is only standardized once it is absolute.
    let url = URL(fileURLWithPath: path).absoluteURL
    if let folder {
      let home = URL(fileURLWithPath: folder).absoluteURL
      let isInside =
        url.standardized.path.hasPrefix(home.standardized.path.asFolder)
        && url.resolvingSymlinksInPath().path.hasPrefix(home.resolvingSymlinksInPath().path.asFolder)
      if !isInside {
        throw InputFileError(
          path: path, problem: "it is outside of the folder of this document; move it there, or give --allow-outside")
      }
    }
    guard ManifestFolder.type(of: url.resolvingSymlinksInPath().path) == .typeRegular else {
      throw InputFileError(path: path, problem: "no such file")
    }
    return try source(path)
  }

  private static func readFolder(_ root: String, into contents: inout Contents) throws(InputFileError) {
    var folder = ManifestFolder(root)
    try folder.list()
    if folder.manifests.isEmpty, folder.foreign.obstacle == nil {
      throw InputFileError(path: root, problem: "no .yaml, .yml or .json file in this directory")
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
      throw InputFileError(path: root, problem: obstacle)
    }
    // What an Expectations document adds belongs to its variant alone.
    let added = Set(
      sources.flatMap { source in
        addedFiles(source).map {
          URL(fileURLWithPath: source.name).deletingLastPathComponent().appendingPathComponent($0)
        }
      }.map(\.standardized.path))
    sources.removeAll { added.contains(URL(fileURLWithPath: $0.name).standardized.path) }
    contents.sources += sources
    contents.foreign.add(folder.foreign)
  }

  private static func source(_ path: String, fromDirectory: Bool = false) throws(InputFileError) -> ManifestSource {
    ManifestSource(name: path, text: try InputFile.text(path), fromDirectory: fromDirectory)
  }
}

extension String {
  fileprivate var asFolder: String { hasSuffix("/") ? self : self + "/" }
}
