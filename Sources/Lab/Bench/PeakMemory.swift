internal import Foundation

/// The peak memory of the process since this value was made, from proc(5): VmRSS at first, then VmHWM. Writing 5 to
/// clear_refs resets VmHWM. `nil` if the kernel does not report it.
struct PeakMemory {
  private let before: Int?

  init() {
    try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs"))
    before = Self.kilobytes("VmRSS:")
  }

  /// Bytes above the memory in use at first.
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
