internal import Foundation

/// The most memory that the process held since it began to watch, from proc(5): VmRSS, then VmHWM, which writing 5 to
/// clear_refs sets back. Nil where the kernel does not say.
struct PeakMemory {
  private let before: Int?

  init() {
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    before = Self.kilobytes("VmRSS:")
  }

  /// Bytes above what was held at the beginning.
  var growth: Int? {
    guard let before, let now = Self.kilobytes("VmHWM:") else { return nil }
    return max(0, now - before) * 1024
  }

  private static func kilobytes(_ field: String) -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix(field) }
    return line.flatMap { $0.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first }.flatMap { Int($0) }
  }
}
