import EngineComparison
import Foundation
import NetpolModel
import Report
import Run

/// The files of the input with the best change of a refused flow, or with those of all refused flows.
struct FixedFiles {
  private let files: [FileChange]

  /// Throws `InputError` if there is nothing to write.
  init(_ report: RunReport) throws {
    if let together = report.together {
      files = together.files
    } else {
      let best = report.explained.compactMap { explained -> CheckedRemedy? in
        if case .allowing(let remedies, _)? = explained.advice { remedies.first } else { nil }
      }
      guard let first = best.first else {
        let isAllowed = report.explained.allSatisfy { $0.comparison.verdict == .allow }
        throw InputError(
          isAllowed
            ? "--write: the flow is allowed already, so there is no change to write"
            : "--write: there is no change to write; the report says why")
      }
      files = first.files
    }
    if files.isEmpty {
      throw InputError("--write: the files leave no safe place for the change; make it by hand")
    }
  }

  /// Beside each changed file one that ends in `.fixed`, or the file itself. Throws `InputError` before anything is
  /// written, if not everything can be.
  func write(inPlace: Bool) throws {
    for file in files {
      if file.name == "-" { throw InputError("--write: standard input can't be changed; name a file with -f") }
      let path = self.path(of: file, inPlace)
      if inPlace {
        if try InputFile.text(path) != file.before {
          throw InputError("--write: \(path) has changed since it was read; run it again")
        }
      } else if FileManager.default.fileExists(atPath: path) {
        throw InputError("--write: \(path) is there already; move it away, or give --in-place")
      }
    }
    for file in files {
      let path = self.path(of: file, inPlace)
      // A link stays a link.
      let target = URL(fileURLWithPath: path).resolvingSymlinksInPath()
      do {
        let mode = try FileManager.default.attributesOfItem(
          atPath: URL(fileURLWithPath: file.name).resolvingSymlinksInPath().path)[.posixPermissions]
        try Data(file.after.utf8).write(to: target, options: .atomic)
        if let mode { try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: target.path) }
      } catch {
        throw InputError("--write: can't write \(path): \(error.localizedDescription)")
      }
      Terminal.say("note: written: \(path)")
    }
  }

  private func path(of file: FileChange, _ inPlace: Bool) -> String { inPlace ? file.name : "\(file.name).fixed" }
}
