import Foundation
import NetpolModel
import Report
import Run

/// The files of the input with the best change of a refused flow.
struct FixedFiles {
  private let advice: [Advice]

  init(_ report: RunReport) { advice = report.explained.compactMap(\.advice) }

  /// Beside each changed file one that ends in `.fixed`, or the file itself. Throws `InputError`.
  func write(inPlace: Bool) throws {
    let remedies = advice.compactMap { advice -> CheckedRemedy? in
      if case .allowing(let remedies, _) = advice { remedies.first } else { nil }
    }
    guard let remedy = remedies.first else {
      throw InputError("--write: there is no change to write; the report says why")
    }
    if remedies.count > 1 {
      throw InputError("--write: \(remedies.count) kinds of flows are refused; ask about one, with a port")
    }
    if remedy.files.isEmpty {
      throw InputError("--write: the files leave no safe place for the change; make it by hand")
    }
    for file in remedy.files {
      if file.name == "-" { throw InputError("--write: standard input can't be changed; name a file with -f") }
      let path = inPlace ? file.name : "\(file.name).fixed"
      if !inPlace, FileManager.default.fileExists(atPath: path) {
        throw InputError("--write: \(path) is there already; move it away, or give --in-place")
      }
      if inPlace, try InputFile.text(path) != file.before {
        throw InputError("--write: \(path) has changed since it was read; run it again")
      }
      // A link stays a link.
      let target = URL(fileURLWithPath: path).resolvingSymlinksInPath()
      do {
        try Data(file.after.utf8).write(to: target, options: .atomic)
      } catch {
        throw InputError("--write: can't write \(path): \(error.localizedDescription)")
      }
      Terminal.say("note: written: \(path)")
    }
  }
}
