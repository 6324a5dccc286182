import Foundation

/// Whether files, or what is in directories, have changed since they were looked at last: by their sizes and times.
struct FollowedFiles {
  private let roots: [String]
  private var seen: [String: Stamp]

  private struct Stamp: Hashable {
    let size: Int
    let changed: Date?
    let number: Int
  }

  init(_ roots: [String]) {
    self.roots = roots
    seen = Self.stamps(roots)
  }

  mutating func haveChanged() -> Bool {
    let now = Self.stamps(roots)
    defer { seen = now }
    return now != seen
  }

  private static func stamps(_ roots: [String]) -> [String: Stamp] {
    var stamps: [String: Stamp] = [:]
    let add = { (path: String) in
      // What a link leads to counts.
      let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      guard let attributes = try? FileManager.default.attributesOfItem(atPath: target) else { return }
      stamps[path] = Stamp(
        size: attributes[.size] as? Int ?? 0, changed: attributes[.modificationDate] as? Date,
        number: attributes[.systemFileNumber] as? Int ?? 0)
    }
    for root in roots {
      add(root)
      guard ManifestFolder.type(of: root) == .typeDirectory else { continue }
      for case let name as String in FileManager.default.enumerator(atPath: root) ?? .init() { add("\(root)/\(name)") }
    }
    return stamps
  }
}
