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
  private static let extensions: Set<String> = ["yaml", "yml", "json"]

  static func read(_ arguments: [String]) throws(ManifestFileError) -> [ManifestSource] {
    var sources: [ManifestSource] = []
    for argument in arguments {
      if argument == "-" {
        if sources.contains(where: { $0.name == "-" }) {
          throw ManifestFileError(path: "-", problem: "standard input can be read once; give -f - once")
        }
        sources.append(try source("-", FileHandle.standardInput))
        continue
      }
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: argument, isDirectory: &isDirectory) else {
        throw ManifestFileError(path: argument, problem: "no such file or directory")
      }
      if isDirectory.boolValue {
        for path in try files(under: argument) { sources.append(try source(path, fromDirectory: true)) }
      } else {
        sources.append(try source(argument))
      }
    }
    return sources
  }

  /// Reads one regular file.
  static func readFile(_ path: String) throws(ManifestFileError) -> ManifestSource {
    guard type(of: URL(fileURLWithPath: path).resolvingSymlinksInPath().path) == .typeRegular else {
      throw ManifestFileError(path: path, problem: "no such file")
    }
    return try source(path)
  }

  /// Returns the paths of the manifests below a directory, sorted. Skips hidden entries. Follows links to files, but not
  /// links to directories (like `kubectl -R`), so that a loop of links can't make it run forever.
  private static func files(under root: String) throws(ManifestFileError) -> [String] {
    var found: [String] = []
    var pending = [root]
    while let directory = pending.popLast() {
      let entries: [String]
      do {
        entries = try FileManager.default.contentsOfDirectory(atPath: directory)
      } catch {
        throw ManifestFileError(path: directory, problem: "can't be listed; check its permissions")
      }
      for entry in entries where !entry.hasPrefix(".") {
        let path = directory.hasSuffix("/") ? directory + entry : "\(directory)/\(entry)"
        switch type(of: path) {
        case .typeDirectory: pending.append(path)
        case .typeRegular where isManifest(entry): found.append(path)
        case .typeSymbolicLink where isManifest(entry):
          // Pipes and sockets could make a reader wait forever.
          let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
          if type(of: target) == .typeDirectory { continue }
          guard type(of: target) == .typeRegular else {
            throw ManifestFileError(path: path, problem: "the link does not lead to a file")
          }
          found.append(path)
        default: continue
        }
      }
    }
    if found.isEmpty { throw ManifestFileError(path: root, problem: "no .yaml, .yml or .json file in this directory") }
    return found.sorted()
  }

  private static func isManifest(_ name: String) -> Bool {
    extensions.contains(name.split(separator: ".").last?.lowercased() ?? "")
  }

  /// The type of the entry itself, not of a link's target.
  private static func type(of path: String) -> FileAttributeType? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
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
