/// What differs between two texts, line by line.
public struct LineDiff {
  private enum Step {
    case kept(String)
    case removed(String)
    case added(String)
  }

  private let steps: [Step]
  /// Lines around a change that don't differ.
  private static let context = 3

  public init(_ before: String, _ after: String) {
    let (old, new) = (Self.lines(before), Self.lines(after))
    // What both begin and end with needs no comparison.
    let start = zip(old, new).prefix { $0 == $1 }.count
    let room = min(old.count, new.count) - start
    let end = min(room, zip(old.reversed(), new.reversed()).prefix { $0 == $1 }.count)
    let (oldPart, newPart) = (Array(old[start..<old.count - end]), Array(new[start..<new.count - end]))
    var (removed, added) = (Set<Int>(), Set<Int>())
    for change in newPart.difference(from: oldPart) {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): added.insert(offset)
      }
    }
    var steps: [Step] = old[..<start].map(Step.kept)
    var (i, j) = (0, 0)
    while i < oldPart.count || j < newPart.count {
      if i < oldPart.count, removed.contains(i) {
        steps.append(.removed(oldPart[i]))
        i += 1
      } else if j < newPart.count, added.contains(j) {
        steps.append(.added(newPart[j]))
        j += 1
      } else {
        steps.append(.kept(i < oldPart.count ? oldPart[i] : newPart[j]))
        (i, j) = (i + 1, j + 1)
      }
    }
    self.steps = steps + old[(old.count - end)...].map(Step.kept)
  }

  private static func lines(_ text: String) -> [String] {
    var lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    if let last = lines.popLast(), !last.isEmpty { lines.append(last + "\n\\ No newline at end of file") }
    return lines
  }

  /// As `diff -u` prints it, for `patch -p0`.
  public func unified(_ name: String) -> [String] {
    let changes = steps.indices.filter { if case .kept = steps[$0] { false } else { true } }
    guard !changes.isEmpty else { return [] }
    var hunks: [ClosedRange<Int>] = []
    for change in changes {
      let (low, high) = (max(0, change - Self.context), min(steps.count - 1, change + Self.context))
      if let last = hunks.last, low <= last.upperBound + 1 {
        hunks[hunks.count - 1] = last.lowerBound...high
      } else {
        hunks.append(low...high)
      }
    }
    // patch(1) takes a name with spaces up to a tab.
    let name = name.contains(" ") ? name + "\t" : name
    var lines = ["--- \(name)", "+++ \(name)"]
    var (oldLine, newLine, next) = (1, 1, 0)
    for hunk in hunks {
      for step in steps[next..<hunk.lowerBound] { advance(step, &oldLine, &newLine) }
      let (firstOld, firstNew) = (oldLine, newLine)
      var body: [String] = []
      for step in steps[hunk] {
        advance(step, &oldLine, &newLine)
        switch step {
        case .kept(let text): body.append(" " + text)
        case .removed(let text): body.append("-" + text)
        case .added(let text): body.append("+" + text)
        }
      }
      lines.append("@@ -\(firstOld),\(oldLine - firstOld) +\(firstNew),\(newLine - firstNew) @@")
      lines += body
      next = hunk.upperBound + 1
    }
    // A last line without a line break has a remark of its own.
    return lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
  }

  private func advance(_ step: Step, _ old: inout Int, _ new: inout Int) {
    switch step {
    case .kept: (old, new) = (old + 1, new + 1)
    case .removed: old += 1
    case .added: new += 1
    }
  }
}
